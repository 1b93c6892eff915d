"""The ways of choosing clips that table 14 of JMRN compares, and the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from posemill.pipelines.select.histogram import PlaceHistogram
from posemill.pipelines.select.oracle import oracle_positions
from posemill.pipelines.select.positions import (
    Float64,
    drawn_positions,
    top_positions,
    uniform_positions,
)
from posemill.pipelines.select.videos import CutVideos, Positions
from posemill.predictions import Predictions
from posemill.schema import Float32
from posemill.transforms.seeding import clip_generator

Method = Literal["dense", "random", "uniform", "empirical", "saliency", "oracle"]
METHODS: tuple[Method, ...] = ("dense", "random", "uniform", "empirical", "saliency", "oracle")
"""All clips; K by chance; evenly spread; by chance where oracle clips were; the most salient; and,
as a bound, the oracle, which knows the labels."""
DRAWN: tuple[Method, ...] = ("random", "empirical")
"""Those that another draw may change."""


@dataclass(frozen=True, eq=False)
class Chooser:
    """Chooses up to K clips of each video by any of the methods."""

    answers: Predictions
    videos: CutVideos
    saliency: Float32
    """(N,) of the answered clips."""
    histogram: PlaceHistogram
    keep: int
    """K."""
    seed: int = 0

    def choose(self, method: Method, draw: int = 0) -> Positions:
        """The places of the clips that are kept of each video.

        Args:
            method: of which only those of `DRAWN` heed the draw.
            draw: its number; a video's clips are drawn alike whatever others there are.

        Raises:
            InputError: the oracle of videos without labels.
        """
        if method == "oracle":
            return oracle_positions(self.answers, self.videos, self.keep)
        if method == "saliency":
            return tuple(top_positions(self.saliency[rows], self.keep) for rows in self.videos.rows)
        if method == "uniform":
            return tuple(uniform_positions(size, self.keep) for size in self.videos.sizes)
        if method == "dense":
            return tuple(np.arange(size, dtype=np.int64) for size in self.videos.sizes)
        return self._draw(self.histogram.weights if method == "empirical" else np.ones, draw)

    def _draw(self, weights: Callable[[int], Float64], draw: int) -> Positions:
        return tuple(
            drawn_positions(weights(size), self.keep, clip_generator(self.seed, video, epoch=draw))
            for video, size in zip(self.videos.ids, self.videos.sizes, strict=True)
        )
