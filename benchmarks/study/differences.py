"""Differences of accuracy between two conditions, paired by seed and clip, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
_COVERAGE = 0.95

Outcomes = npt.NDArray[np.bool_]
"""(S, N): whether each of N test clips of each of S seeds was recognised."""


class Verdict(StrEnum):
    """What an interval says of an expected gain, or of a difference without expected sign."""

    SHOWN = "shown"
    NOT_RESOLVED = "not resolved"
    REVERSED = "reversed"
    HIGHER = "higher (no sign expected)"
    LOWER = "lower (no sign expected)"


@dataclass(frozen=True, slots=True)
class Difference:
    """Of accuracies, with its 95% interval, as shares."""

    mean: float
    low: float
    high: float

    def verdict(self, *, gain: bool) -> Verdict:
        """Of an expected gain, or (`gain` false) of a difference without an expected sign."""
        if self.low > 0:
            return Verdict.SHOWN if gain else Verdict.HIGHER
        if self.high < 0:
            return Verdict.REVERSED if gain else Verdict.LOWER
        return Verdict.NOT_RESOLVED


def paired_difference(first: Outcomes, second: Outcomes, seed: int = 0) -> Difference:
    """Mean of `first` - `second`, (S, N) each, of the same seeds and clips in the same order.

    Every seed has clips of its own, so clips are nested in seeds, and both are
    resampled: S seeds with replacement; then, for each seed that was drawn (for
    a seed drawn twice, twice), N of its clips with replacement, whole pairs of
    outcomes. The interval is that of the percentiles of 10,000 such means.
    Resampled clips add to a spread of seeds that has their chance in it
    already, so it is rather too wide where clips matter more than seeds; with
    few seeds it is rather too narrow where seeds matter more.

    Raises:
        ValueError: shapes that differ, or are not (S, N).
    """
    if first.ndim != 2 or first.shape != second.shape or not first.size:
        raise ValueError(f"outcomes must be (S, N) and alike, got {first.shape}, {second.shape}")
    means = _resampled_means(first, second, np.random.default_rng(seed))
    tail = (1.0 - _COVERAGE) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Difference(float(first.mean() - second.mean()), float(low), float(high))


def _resampled_means(
    first: Outcomes, second: Outcomes, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    num_seeds, num_clips = first.shape
    gained = (first & ~second).sum(axis=1)
    lost = (~first & second).sum(axis=1)
    shares = np.stack([gained, lost, num_clips - gained - lost], axis=1) / num_clips  # (S, 3)
    drawn = rng.integers(num_seeds, size=(RESAMPLES, num_seeds))
    # Of clips drawn with replacement, the numbers gained, lost and equal are multinomial.
    counts = rng.multinomial(num_clips, shares[drawn])  # (RESAMPLES, S, 3)
    means: npt.NDArray[np.float64] = (counts[..., 0] - counts[..., 1]).mean(axis=1) / num_clips
    return means
