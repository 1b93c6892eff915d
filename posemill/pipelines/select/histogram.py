"""Where in videos oracle clips lie: what the empirical baseline draws clips by.

The paper names that baseline and leaves it open. Here it is SCSampler's: a histogram of
the places of the training videos' oracle clips, each video stretched to [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posemill.pipelines.select.positions import Float64
from posemill.pipelines.select.videos import Positions

_BINS = 100


@dataclass(frozen=True, eq=False)
class PlaceHistogram:
    """The distribution of oracle clips over a video of length 1, each clip spread over its part."""

    cumulative: Float64
    """(bins + 1,) share of the oracle clips before each edge, from 0 to 1."""

    @classmethod
    def of(cls, oracle: Positions, sizes: Sequence[int]) -> PlaceHistogram:
        """That of training videos: clip j of n covers [j / n, (j + 1) / n)."""
        edges = np.linspace(0.0, 1.0, _BINS + 1)
        below = np.zeros_like(edges)
        for places, size in zip(oracle, sizes, strict=True):
            below += np.clip(edges * size - places[:, None], 0.0, 1.0).sum(axis=0)
        return cls(below / below[-1])

    def weights(self, num_clips: int) -> Float64:
        """(n,) shares that lie in the parts of a video's n clips; they sum to 1."""
        edges = np.linspace(0.0, 1.0, len(self.cumulative))
        return np.diff(np.interp(np.linspace(0.0, 1.0, num_clips + 1), edges, self.cumulative))
