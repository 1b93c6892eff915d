"""Trains a saliency ranker: a run's features and a classifier's answers for training clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posemill.errors import InputError
from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.evaluate import EvaluateConfig
from posemill.pipelines.evaluations import read_answers
from posemill.pipelines.runs import CONFIG
from posemill.pipelines.select.features import clip_features
from posemill.pipelines.select.histogram import PlaceHistogram
from posemill.pipelines.select.oracle import oracle_positions
from posemill.pipelines.select.pairs import RankedClips
from posemill.pipelines.select.ranker import (
    Ranker,
    RankerSettings,
    share_in_order,
    train_network,
)
from posemill.pipelines.select.ranker_files import write_ranker
from posemill.pipelines.select.videos import CutVideos
from posemill.predictions import Predictions
from posemill.storage.objects import Place


@dataclass(frozen=True, slots=True)
class TrainedRanker:
    """What a ranker was trained on, and how well it ranks that."""

    ranker: Ranker
    num_videos: int
    num_without_others: int
    """Videos of K clips or fewer, which teach nothing."""
    share_in_order: float
    """Of the pairs of an oracle clip and another one of its video."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "keep": self.ranker.keep,
            "features": self.ranker.origin.as_dict(),
            "videos": self.num_videos,
            "videos_without_other_clips": self.num_without_others,
            "share_in_order": self.share_in_order,
        }


def train_ranker(
    run: Path,
    store: Place,
    answers: Path,
    out: Path,
    keep: int,
    clips: EvaluateConfig,
    settings: RankerSettings,
) -> TrainedRanker:
    """Train a ranker on a run's features of the clips of a subset; it goes into `out`.

    Args:
        run: of jmrn, whose network makes the features.
        store: of those clips.
        answers: folder with a classifier's answers for the same clips.
        out: the ranker's folder.
        keep: K, how many clips of each video are oracle clips.
        clips: of which subset, catalog and so on.
        settings: of the ranker.

    Raises:
        As `evaluate` for the run and the store; and
        InputError: `out` holds a run, answers are missing, for other clips or without
            labels, or no video has more than K clips.
        EnvironmentFault: the disk refuses.
    """
    if (out / CONFIG).exists():
        raise InputError(f"{out} holds a run; choose another -o for the ranker")
    require_keep(keep)
    found = read_answers(answers, clips.subset)
    videos = CutVideos.of(found, str(answers))
    oracle = oracle_positions(found, videos, keep)
    features = clip_features(run, store, clips)
    values = features.of(found.clip_ids, str(answers))
    ranked = RankedClips.of(videos, oracle)
    with torch_settings(clips.threads, resolve_device("cpu")):
        network = train_network(values, ranked, settings)
        histogram = PlaceHistogram.of(oracle, videos.sizes)
        ranker = Ranker(network, settings, features.origin, keep, histogram)
        in_order = share_in_order(ranker.saliency(values), ranked)
    trained = TrainedRanker(ranker, len(videos), len(videos) - len(ranked), in_order)
    record = {**trained.as_dict(), **_sources(run, store, answers, found, clips)}
    write_ranker(out, ranker, record)
    return trained


def require_keep(keep: int) -> None:
    """Raises:
    InputError: fewer than one clip is to be kept.
    """
    if keep < 1:
        raise InputError(f"a video needs a clip or more that is kept, got {keep}")


def _sources(
    run: Path, store: Place, answers: Path, found: Predictions, clips: EvaluateConfig
) -> dict[str, Any]:
    return {
        "run": str(run),
        "weights": clips.weights,
        "store": str(store),
        "answers": {
            "folder": str(answers),
            "model": found.model,
            "split": found.split,
            "subset": found.subset,
            "made_with": dict(found.made_with),
        },
    }
