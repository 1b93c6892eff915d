"""Accuracies and their differences as cells of Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from study.differences import Difference, Outcomes

Shares = npt.NDArray[np.float64]
"""(S,) of each seed."""


def by_seed(outcomes: Outcomes) -> Shares:
    """(S,): the accuracy of each seed."""
    return np.asarray(outcomes.mean(axis=1))


def with_range(shares: Shares) -> str:
    """Mean over the seeds, and least and greatest, in percent."""
    low, high = percent(shares.min()), percent(shares.max())
    return f"{percent(shares.mean())} ({low}-{high})"


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def points(share: float) -> str:
    return f"{100 * share:+.1f}"


def interval(difference: Difference) -> str:
    """Of 95%, in points."""
    return f"{points(difference.low)} to {points(difference.high)}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
