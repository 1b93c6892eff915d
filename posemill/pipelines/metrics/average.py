"""Figures averaged over evaluations: of the three splits of HMDB-51 or JHMDB, or of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posemill.pipelines.metrics.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class AveragedFigure:
    """One figure of several evaluations."""

    name: str
    values: tuple[float, ...]
    mean: float
    spread: float | None
    """Standard deviation as estimated from the sample, by R - 1; None of one evaluation."""


def average(evaluations: Sequence[Evaluation]) -> tuple[AveragedFigure, ...]:
    """Each figure of R evaluations, which count the same however many clips they have.

    Raises:
        ValueError: there are none, or they are of other classes or have other figures.
    """
    if not evaluations:
        raise ValueError("an average needs at least one evaluation")
    first, *others = evaluations
    for other in others:
        if other.classes != first.classes:
            raise ValueError(
                f"one has the classes {_some(first.classes)}, another {_some(other.classes)}; "
                "expected the same in the same order"
            )
        if other.figures().keys() != first.figures().keys():
            raise ValueError(
                f"one has {', '.join(first.figures())}, another {', '.join(other.figures())}"
            )
    found = [evaluation.figures() for evaluation in evaluations]
    return tuple(_averaged(name, [figures[name] for figures in found]) for name in found[0])


def _some(classes: Sequence[str]) -> str:
    listed = ", ".join(classes[:5])
    return f"{listed} and {len(classes) - 5} more" if len(classes) > 5 else listed


def _averaged(name: str, values: Sequence[float]) -> AveragedFigure:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return AveragedFigure(name, tuple(values), float(np.mean(values)), spread)
