"""Features of clips: what a trained network's classifier is given, JMRN's 512 numbers as a rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.base import PoseNetwork
from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.data import view_specs
from posemill.pipelines.evaluate import (
    EvaluateConfig,
    check_source,
    load_network,
    trained_config,
)
from posemill.pipelines.runs import BEST, LAST, RunFolder, open_run
from posemill.pipelines.training.clips import open_clip_source, view_loader
from posemill.pipelines.training.scoring import score_clips
from posemill.schema import Float32
from posemill.storage.objects import Place


@dataclass(frozen=True)
class FeatureOrigin:
    """The network that made features: equal ones are made alike."""

    model: str
    checkpoint: str
    """sha256 of its file."""
    flip: bool

    @classmethod
    def of(cls, run: RunFolder, config: EvaluateConfig) -> FeatureOrigin:
        """That of a run, which need not be finished."""
        content = run.read_checkpoint({"last": LAST, "best": BEST}[config.weights]) or b""
        model = run.identity["config"]["model"]["name"]
        return cls(model, hashlib.sha256(content).hexdigest(), config.flip)

    def as_dict(self) -> dict[str, str | bool]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class ClipFeatures:
    """Features of N clips."""

    origin: FeatureOrigin
    clip_ids: tuple[str, ...]
    values: Float32  # (N, D)

    def of(self, clip_ids: Sequence[str], answers: str) -> Float32:
        """(N, D) those of answered clips, in their order; `answers` is what to call these.

        Raises:
            InputError: the answers are for other clips.
        """
        place = {id_: number for number, id_ in enumerate(self.clip_ids)}
        lacking = [id_ for id_ in clip_ids if id_ not in place]
        extra = sorted(place.keys() - set(clip_ids))
        if lacking or extra:
            raise InputError(
                f"{answers} has answers for {len(clip_ids)} clips, of which {len(lacking)} have no "
                f"features, and {len(extra)} clips with features have no answers, as "
                f"{(lacking or extra)[0]}; score the same clips, with the same --catalog, split "
                "and subset"
            )
        return self.values[[place[id_] for id_ in clip_ids]]


def clip_features(run_dir: Path, store: Place, config: EvaluateConfig) -> ClipFeatures:
    """Features of the labelled clips of a subset, means over each one's test views.

    Raises:
        As `evaluate`, and InputError where the network's last layer does not take one
        vector of each clip.
    """
    run = open_run(run_dir)
    trained = trained_config(run, config)
    device = resolve_device(config.device)
    source = open_clip_source((store, *config.joined), trained, config.catalog, testing=True)
    check_source(run, source)
    clips = source.select(config.split or trained.split, config.subset)
    with torch_settings(config.threads, device):
        network = load_network(run, config.weights, trained).to(device)
        loader = view_loader(source, clips, trained, flip=config.flip)
        with _classifier_inputs(network) as given:
            scores = score_clips(network, loader, view_specs(source), device, multi_label=False)
    values = _joined_views(given, scores.num_views, len(clips), str(run_dir))
    return ClipFeatures(FeatureOrigin.of(run, config), clips.clip_ids, values)


@contextmanager
def _classifier_inputs(network: PoseNetwork) -> Iterator[list[Tensor]]:
    """What the network's last layer is given from now on, on the CPU."""
    given: list[Tensor] = []

    def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given.append(inputs[0].float().cpu())

    hook = network.classifier.register_forward_pre_hook(note)
    try:
        yield given
    finally:
        hook.remove()


def _joined_views(given: Sequence[Tensor], num_views: int, num_clips: int, run: str) -> Float32:
    """(N, D), of vectors (..., D) of N V views, those of a clip in a row."""
    if sum(len(each) for each in given if each.ndim == 2) != num_clips * num_views:
        raise InputError(
            f"{run}: its network has no features: its last layer does not take one vector of each "
            "clip; give a run of jmrn, or of another model with one classifier"
        )
    views = torch.cat(list(given)).reshape(num_clips, num_views, -1)
    return np.asarray(views.mean(dim=1).numpy(), np.float32)
