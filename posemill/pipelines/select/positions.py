"""Which K of a video's n clips to look at: evenly spread, drawn, or by a score.

All return places (min(K, n),), rising: all of a video that has no more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.schema import Int64

Float64 = npt.NDArray[np.float64]
_LEAST_SHARE = 1e-12
"""Of the greatest weight, of a clip that is never to be drawn before others."""


def uniform_positions(num_clips: int, keep: int) -> Int64:
    """The clips at the middles of K equal parts of the video."""
    keep = min(keep, num_clips)
    return (2 * np.arange(keep, dtype=np.int64) + 1) * num_clips // (2 * keep)


def top_positions(scores: npt.NDArray[np.floating[Any]], keep: int) -> Int64:
    """The clips of the greatest scores (n,); of equal ones the earlier."""
    best = np.argsort(-scores, kind="stable")[:keep]
    return np.sort(best).astype(np.int64)


def drawn_positions(weights: Float64, keep: int, rng: np.random.Generator) -> Int64:
    """Clips drawn one after the other, each by its weight (n,) among those that are left.

    By the greatest of log w + g, with g of Gumbel's distribution. Where fewer than K have
    a weight above 0, others follow by chance.
    """
    least = _LEAST_SHARE * weights.max(initial=0.0) or 1.0
    return top_positions(np.log(np.maximum(weights, least)) + rng.gumbel(size=len(weights)), keep)
