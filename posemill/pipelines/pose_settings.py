"""How poses are made: what decides them, which a store keeps, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from posemill.errors import InputError
from posemill.models.estimators.base import Estimator, EstimatorOptions
from posemill.pipelines.decode import DecodeSettings
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.storage.video import FrameOptions
from posemill.transforms.sample import DenseKind
from posemill.transforms.tracking import TrackSettings

_SOME_SIZE_WH = (640, 480)


@dataclass(frozen=True, slots=True)
class PoseSettings:
    """Resolved by the driver, carried as they are to workers."""

    estimator: str
    options: EstimatorOptions = field(default_factory=EstimatorOptions)
    decoding: DecodeSettings = field(default_factory=DecodeSettings)
    batching: BatchSettings = field(default_factory=BatchSettings)
    tracks: TrackSettings = field(default_factory=TrackSettings)

    def configuration(self, estimator: Estimator) -> dict[str, Any]:
        """All that decides the content of a pose store; the catalog and its labels do not.

        Raises:
            InputError: the estimator has no dense maps of a kind that is to be kept, or takes
                no boxes and is to be given some.
        """
        options = self.options
        require_kinds(estimator, options.keep)
        _require_taken(estimator, boxes_given=options.boxes_given)
        optional: Mapping[str, Any] = {
            "variant": options.variant,
            "parameters": {name: str(value) for name, value in options.parameters.items()},
            # Not which boxes: a catalog that grows changes no store.
            "boxes": "catalog" if options.boxes_given else None,
            "keep": sorted(options.keep),
            "scales": list(options.scales) if options.keep else [],
        }
        return {
            "stage": "extract",
            "estimator": estimator.spec.name,
            "fingerprint": estimator.fingerprint(),
            "skeleton": estimator.spec.skeleton,
            "device_class": options.device.partition(":")[0],
            "reproducible": options.reproducible,
            # Sums are split by threads, so equal bits need equal threads.
            "threads": options.threads if options.reproducible else None,
            "frames": self.decoding.frames.configuration(),
            "tracks": self.tracks.configuration(),
            **{name: value for name, value in optional.items() if value},
        }


def require_kinds(estimator: Estimator, keep: frozenset[DenseKind]) -> None:
    """Raises:
    InputError: the estimator has no dense maps of one of these kinds.
    """
    held = sorted(estimator.dense_shapes(_SOME_SIZE_WH))
    if lacking := sorted(keep - set(held)):
        raise InputError(
            f"--keep {','.join(lacking)}: the estimator {estimator.spec.name} has no such dense "
            f"maps, but {', '.join(held) or 'none'}; keep those, leave out --keep, or name "
            "another estimator with --estimator: figure and openpifpaf have all kinds"
        )


def _require_taken(estimator: Estimator, *, boxes_given: bool) -> None:
    if boxes_given and not estimator.spec.takes_boxes:
        raise InputError(
            f"--boxes catalog: the estimator {estimator.spec.name} finds people by itself and "
            "takes no boxes; leave the option out, or name a top-down estimator: vitpose"
        )


def stored_options(configuration: Mapping[str, Any]) -> EstimatorOptions:
    """The estimator's options that a store's configuration tells; the others are the default."""
    return EstimatorOptions(
        device=configuration["device_class"],
        variant=configuration.get("variant"),
        threads=configuration["threads"] or 1,
        reproducible=configuration["reproducible"],
        parameters=configuration.get("parameters", {}),
        boxes_given=configuration.get("boxes") == "catalog",
        keep=frozenset(configuration.get("keep", ())),
        scales=tuple(configuration.get("scales", (1.0,))),
    )


def stored_frames(configuration: Mapping[str, Any]) -> FrameOptions:
    """Which frames, and of what size, the store's configuration tells."""
    return FrameOptions.of_configuration(configuration["frames"])


def stored_tracks(configuration: Mapping[str, Any]) -> TrackSettings:
    """How people are followed, and how many are kept, as the store's configuration tells."""
    return TrackSettings(**configuration["tracks"])
