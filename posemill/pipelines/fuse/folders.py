"""Fusion of what lies in the folders of runs, into a folder of the same kind."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import InputError
from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.evaluations import read_answers, write_evaluation
from posemill.pipelines.fuse.join import join, num_unavailable
from posemill.pipelines.fuse.late import Scores, fuse_late
from posemill.pipelines.fuse.learnt import LearntFusion, Weights, fuse_learnt, learn_weights
from posemill.pipelines.metrics.evaluation import Evaluation
from posemill.pipelines.runs import CONFIG
from posemill.predictions import Predictions
from posemill.storage.durable import disk_faults, replace_file

RECORD = "fusion.json"


@dataclass(frozen=True, slots=True)
class FuseConfig:
    """Which answers to fuse, and how: by given weights, or by learnt ones."""

    runs: tuple[Path, ...]
    subset: str = "test"
    weights: tuple[float, ...] | None = None
    """One for each run; None has them equal."""
    of: Scores = "probabilities"
    """What is averaged with given weights."""
    learn: LearntFusion | None = None
    """Learns the weights of the logits instead."""
    learn_on: str = "train"
    """The subset to learn them on."""
    only_common: bool = False
    """Leave out clips that some runs have no answer for."""

    def __post_init__(self) -> None:
        """Raises:
        InputError: fewer than two runs, one given twice, or weights given and to be learnt.
        """
        if len({run.resolve() for run in self.runs}) < max(len(self.runs), 2):
            listed = ", ".join(map(str, self.runs))
            raise InputError(f"fusion needs two runs or more, each once, got {listed or 'none'}")
        if self.learn is not None and (self.weights is not None or self.of != "probabilities"):
            raise InputError(
                "weights are given or learnt, and those that are learnt are of logits; give "
                "--weights and --of, or --learn"
            )


@dataclass(frozen=True, slots=True)
class FusionResult:
    """The fused answers' figures, beside each run's own for the same clips."""

    evaluation: Evaluation
    single: tuple[Evaluation, ...]
    weights: Weights
    """(M,) of each run as they were given or learnt, or (M, C) by class."""

    def as_dict(self, runs: Sequence[Path]) -> dict[str, Any]:
        return {
            **self.evaluation.as_dict(),
            "weights": {
                str(run): weight for run, weight in zip(runs, self.weights.tolist(), strict=True)
            },
            "single": {
                str(run): each.figures() for run, each in zip(runs, self.single, strict=True)
            },
        }


def fuse(config: FuseConfig, out: Path) -> FusionResult:
    """Fuse the runs' answers; answers, figures and weights go into `out`.

    Raises:
        InputError: `out` is a run's own folder, answers are missing or do not fit each other, or
            the weights cannot be used.
        StoreCorrupted: damaged answers.
        EnvironmentFault: the disk refuses.
    """
    if (out / CONFIG).exists():
        raise InputError(f"{out} holds a run, whose answers it would replace; choose another -o")
    answers = _read(config, config.subset)
    joined = join(answers, only_common=config.only_common)
    if config.learn is None:
        weights = _given_weights(config)
        together = fuse_late(joined, weights.tolist(), config.of)
    else:
        weights = _learn(config, config.learn)
        together = fuse_learnt(joined, weights, config.learn)
    left_out = num_unavailable(list(answers.values()), len(joined[0]))
    evaluation = Evaluation(replace(together, num_unavailable=left_out))
    write_evaluation(out, evaluation)
    _write_record(config, weights, answers, out)
    return FusionResult(evaluation, tuple(map(Evaluation, joined)), weights)


def _read(config: FuseConfig, subset: str) -> dict[str, Predictions]:
    return {str(run): read_answers(run, subset) for run in config.runs}


def _learn(config: FuseConfig, settings: LearntFusion) -> Weights:
    joined = join(_read(config, config.learn_on), only_common=config.only_common)
    with torch_settings(1, resolve_device("cpu")):
        return learn_weights(joined, settings)


def _given_weights(config: FuseConfig) -> Weights:
    given = (1.0,) * len(config.runs) if config.weights is None else config.weights
    if len(given) != len(config.runs) or min(given) < 0 or not 0 < sum(given) < math.inf:
        raise InputError(
            f"expected a weight of 0 or more for each of {len(config.runs)} runs, and one above 0, "
            f"got {', '.join(f'{weight:g}' for weight in given)}"
        )
    return np.array(given)


def _write_record(
    config: FuseConfig, weights: Weights, answers: Mapping[str, Predictions], out: Path
) -> None:
    """What the answers were fused from, for people."""
    record = {
        **asdict(config),
        "runs": [str(run) for run in config.runs],
        "weights": weights.tolist(),
        "made_with": {run: dict(each.made_with) for run, each in answers.items()},
    }
    with disk_faults(out):
        replace_file(out / RECORD, (json.dumps(record, indent=2) + "\n").encode())
