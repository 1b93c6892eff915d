"""The estimator `openpifpaf`: composite fields of a whole frame, so speed is that of any crowd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from posemill.errors import InputError, MissingDependency
from posemill.models.estimators.base import (
    EstimatorOptions,
    EstimatorSpec,
    FrameEstimator,
    greatest_batch,
    refuse_boxes,
    require_rgb,
)
from posemill.models.estimators.dense_maps import frame_grid
from posemill.models.estimators.openpifpaf.checkpoint import load_checkpoint
from posemill.models.estimators.openpifpaf.decode import PifPafDecoder, PifPafMeta, PifPafRaw
from posemill.models.estimators.openpifpaf.imports import PURPOSE, installed_folder
from posemill.models.estimators.openpifpaf.letter import Letter, fit, fitted
from posemill.models.estimators.openpifpaf.settings import PifPafSettings
from posemill.models.estimators.weights.cached import find_weights
from posemill.provenance import canonical_json
from posemill.schema import Float32, UInt8
from posemill.transforms.sample import DenseKind
from posemill.transforms.skeletons import COCO_17

MAX_BATCH = 32


@dataclass(frozen=True, slots=True)
class PifPafBatch:
    """Frames of one bucket, resized and padded for each scale."""

    pictures: tuple[UInt8, ...]  # a scale: (B, H, W, 3)


class PifPafEstimator(FrameEstimator[PifPafBatch, PifPafRaw, PifPafMeta]):
    """Runs openpifpaf's networks and its decoder; built by `create`."""

    def __init__(self, options: EstimatorOptions) -> None:
        import torch

        from posemill.models.devices import resolve_device
        from posemill.models.estimators.openpifpaf.network import PifPafNetwork

        self.spec = EstimatorSpec("openpifpaf", COCO_17.name, greatest_batch(options, MAX_BATCH))
        self._settings = PifPafSettings.from_parameters(options.parameters)
        self._device = resolve_device(options.device_here)
        self._reproducible = options.reproducible
        self._scales = options.scales
        self._keep_features = "features" in options.keep
        device_type = options.device.partition(":")[0]
        self._dtype = trunk_dtype(self._settings, device_type, options.reproducible)
        torch.set_num_threads(options.threads)
        checkpoint, self._weights_sha256 = load_checkpoint(_weights(options))
        self._network = PifPafNetwork(checkpoint, self._device, getattr(torch, self._dtype))
        self._layout = self._network.layout
        self.decoder = PifPafDecoder(
            self._layout, self._settings, options.scales.index(1.0), tuple(sorted(options.keep))
        )

    def fingerprint(self) -> str:
        from torch import __version__ as torch_version

        parameters = {**asdict(self._settings), "dtype": self._dtype}
        return (
            f"openpifpaf weights={self._weights_sha256} parameters={canonical_json(parameters)} "
            f"openpifpaf={version('openpifpaf')} torch={torch_version.partition('+')[0]}"
        )

    def dense_shapes(self, size_wh: tuple[int, int]) -> Mapping[DenseKind, tuple[int, int, int]]:
        resized = self._letter(size_wh, 1.0).resized
        return {
            kind: (channels, *frame_grid(resized, self._layout.stride_of(kind)))
            for kind, channels in self._layout.channels(COCO_17.num_keypoints).items()
        }

    def bucket(self, size_wh: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        return tuple(self._letter(size_wh, scale).padded for scale in self._scales)

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[PifPafBatch, list[PifPafMeta]]:
        refuse_boxes(self.spec, boxes_px)
        metas = [self._meta(frame) for frame in frames]
        pictures = tuple(
            np.stack([fitted(frame, letter) for frame, letter in zip(frames, letters, strict=True)])
            for letters in zip(*metas, strict=True)
        )
        return PifPafBatch(pictures), metas

    def infer(self, batch: PifPafBatch) -> list[PifPafRaw]:
        from posemill.models.devices import inference

        with inference(self._device, reproducible=self._reproducible):
            scales = [
                self._network.fields(pictures, keep_features=self._keep_features)
                for pictures in batch.pictures
            ]
        return list(zip(*scales, strict=True))

    def _letter(self, size_wh: tuple[int, int], scale: float) -> Letter:
        return fit(size_wh, scale * self._settings.long_edge, self._layout.trunk_stride)

    def _meta(self, frame: UInt8) -> PifPafMeta:
        require_rgb(frame)
        height, width = frame.shape[:2]
        return tuple(self._letter((width, height), scale) for scale in self._scales)


def create(options: EstimatorOptions) -> PifPafEstimator:
    """Build the estimator; `options.parameters` may set any field of `PifPafSettings`.

    Raises:
        MissingDependency: torch or openpifpaf is not installed.
        WeightsUnavailable: no converted checkpoint is there.
        InputError: an unknown parameter, or a device that is not there.
    """
    if find_spec("torch") is None:
        raise MissingDependency("torch", "torch", PURPOSE)
    installed_folder()
    return PifPafEstimator(options)


def trunk_dtype(settings: PifPafSettings, device_type: str, reproducible: bool) -> str:
    """The name of the trunk's dtype on a device of this type.

    Raises:
        InputError: reduced precision where only float32 is meant.
    """
    whole = reproducible or device_type == "cpu"
    if settings.dtype == "auto":
        return "float32" if whole else "float16"
    if whole and settings.dtype != "float32":
        raise InputError(
            f"dtype={settings.dtype} is for a GPU and without --reproducible, got device "
            f"{device_type}{' and --reproducible' if reproducible else ''}; take dtype=float32"
        )
    return settings.dtype


def _weights(options: EstimatorOptions) -> Path:
    return options.weights or find_weights("openpifpaf", options.variant)
