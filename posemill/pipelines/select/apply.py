"""Keeps the most salient clips of each video, and compares that with other ways of choosing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from posemill.errors import InputError
from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.evaluate import EvaluateConfig
from posemill.pipelines.evaluations import read_answers, write_evaluation
from posemill.pipelines.runs import CONFIG, open_run
from posemill.pipelines.select.compare import MethodResult, compare
from posemill.pipelines.select.consensus import Consensus
from posemill.pipelines.select.features import FeatureOrigin, clip_features
from posemill.pipelines.select.methods import METHODS, Chooser, Method
from posemill.pipelines.select.ranker import Ranker
from posemill.pipelines.select.ranker_files import read_ranker
from posemill.pipelines.select.train import require_keep
from posemill.pipelines.select.videos import CutVideos
from posemill.predictions import Predictions
from posemill.storage.durable import disk_faults, replace_file
from posemill.storage.objects import Place

RECORD = "selection.json"
_WRITABLE = tuple(method for method in METHODS if method != "oracle")


@dataclass(frozen=True, slots=True)
class SelectConfig:
    """How clips are kept and their answers joined.

    Raises:
        InputError: an unknown method or consensus, or a number below 1.
    """

    keep: int | None = None
    """K; None takes that of the ranker's training."""
    consensus: Consensus = "mean"
    method: Method = "saliency"
    """The one whose answers are written: any but the oracle, which knows the labels."""
    draws: int = 10
    """Over which the methods that draw are averaged."""
    seed: int = 0
    """Of what they draw."""

    def __post_init__(self) -> None:
        if self.keep is not None:
            require_keep(self.keep)
        if self.draws < 1:
            raise InputError(f"methods that draw need a draw or more, got {self.draws}")
        if self.consensus not in get_args(Consensus):
            raise InputError(f"the consensus must be mean or max, got {self.consensus!r}")
        if self.method not in _WRITABLE:
            raise InputError(
                f"answers can be written of the methods {', '.join(_WRITABLE)}, got "
                f"{self.method!r}" + ", which knows the labels" * (self.method == "oracle")
            )


@dataclass(frozen=True)
class Comparison:
    """Every method's result for the same videos."""

    results: tuple[MethodResult, ...]
    keep: int
    num_videos: int
    num_whole: int
    """Videos of fewer than K clips, of which all are kept."""
    written: Method

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "keep": self.keep,
            "videos": self.num_videos,
            "videos_kept_whole": self.num_whole,
            "written": self.written,
            "methods": {each.method: each.as_dict() for each in self.results},
        }


def apply_ranker(
    run: Path,
    store: Place,
    ranker_dir: Path,
    answers: Path,
    out: Path,
    clips: EvaluateConfig,
    config: SelectConfig = SelectConfig(),
) -> Comparison:
    """Answer each video by the clips kept of it; answers, figures and a record go into `out`.

    Args:
        run: whose features the ranker was trained on.
        store: of the clips of the subset.
        ranker_dir: made by `train_ranker`.
        answers: folder with the classifier's answers for the same clips.
        out: of the videos' answers, in the form that `evaluate` writes those of clips in.
        clips: of which subset, catalog and so on.
        config: how many are kept, and what becomes of their answers.

    Raises:
        As `evaluate` for the run and the store; and
        ConfigurationMismatch: the ranker is of other features.
        InputError: `out` holds a run or the clips' answers, or answers are missing, for other
            clips, or without labels.
        EnvironmentFault: the disk refuses.
    """
    _require_place(out, answers)
    ranker = read_ranker(ranker_dir)
    ranker.require_origin(FeatureOrigin.of(open_run(run), clips), ranker_dir)
    found = read_answers(answers, clips.subset)
    chooser = _chooser(run, store, answers, found, ranker, clips, config)
    results = compare(chooser, METHODS, config.consensus, config.draws)
    comparison = Comparison(
        results,
        chooser.keep,
        len(chooser.videos),
        sum(size < chooser.keep for size in chooser.videos.sizes),
        config.method,
    )
    written = next(each for each in results if each.method == config.method)
    write_evaluation(out, written.evaluations[0])
    _write_record(out, comparison, chooser)
    return comparison


def _require_place(out: Path, answers: Path) -> None:
    if (out / CONFIG).exists() or out.resolve() == answers.resolve():
        raise InputError(
            f"{out} holds answers for clips, or a run, which those for videos would replace; "
            "choose another -o"
        )


def _chooser(
    run: Path,
    store: Place,
    answers: Path,
    found: Predictions,
    ranker: Ranker,
    clips: EvaluateConfig,
    config: SelectConfig,
) -> Chooser:
    videos = CutVideos.of(found, str(answers))
    values = clip_features(run, store, clips).of(found.clip_ids, str(answers))
    with torch_settings(clips.threads, resolve_device("cpu")):
        saliency = ranker.saliency(values)
    return Chooser(
        found, videos, saliency, ranker.histogram, config.keep or ranker.keep, config.seed
    )


def _write_record(out: Path, comparison: Comparison, chooser: Chooser) -> None:
    """The comparison, and the clips kept of each video with their saliency, for people."""
    kept = {
        video: {
            chooser.answers.clip_ids[row]: round(float(chooser.saliency[row]), 4)
            for row in rows.tolist()
        }
        for video, rows in zip(
            chooser.videos.ids,
            chooser.videos.rows_at(chooser.choose(comparison.written)),
            strict=True,
        )
    }
    told = json.dumps({**comparison.as_dict(), "kept": kept}, indent=2) + "\n"
    with disk_faults(out):
        replace_file(out / RECORD, told.encode())
