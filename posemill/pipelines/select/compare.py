"""What each way of choosing clips comes to: table 14 of JMRN, for one's own answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.metrics.average import AveragedFigure, average
from posemill.pipelines.select.consensus import Consensus, join_clips
from posemill.pipelines.select.methods import DRAWN, Chooser, Method

_FIGURES = ("accuracy", "mean_average_precision")
"""Of which the first that there is stands in the table: clips may show several classes."""


@dataclass(frozen=True)
class MethodResult:
    """The figures of videos' answers, of the clips that a method keeps."""

    method: Method
    num_clips: float
    """Kept of a video, on average."""
    evaluations: tuple[Evaluation, ...]
    """One for each draw."""

    @property
    def figures(self) -> tuple[AveragedFigure, ...]:
        """Each over the draws."""
        return average(self.evaluations)

    @property
    def figure(self) -> AveragedFigure:
        """The one that methods are compared by."""
        by_name = {each.name: each for each in self.figures}
        return next(by_name[name] for name in _FIGURES if name in by_name)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "clips_of_a_video": self.num_clips,
            "draws": len(self.evaluations),
            "knows_the_labels": self.method == "oracle",
            "figures": {
                each.name: {"mean": each.mean, "spread": each.spread} for each in self.figures
            },
        }


def compare(
    chooser: Chooser, methods: Sequence[Method], consensus: Consensus, num_draws: int
) -> tuple[MethodResult, ...]:
    """The result of each method; of drawn ones over `num_draws` draws.

    Raises:
        InputError: the oracle of videos without labels.
    """
    return tuple(_result(chooser, method, consensus, num_draws) for method in methods)


def _result(chooser: Chooser, method: Method, consensus: Consensus, num_draws: int) -> MethodResult:
    draws = num_draws if method in DRAWN else 1
    kept = [chooser.choose(method, draw) for draw in range(draws)]
    told = {"selection": method, "keep": str(chooser.keep), "consensus": consensus}
    return MethodResult(
        method,
        float(np.mean([len(places) for places in kept[0]])),
        tuple(
            Evaluation(join_clips(chooser.answers, chooser.videos, each, consensus, told))
            for each in kept
        ),
    )
