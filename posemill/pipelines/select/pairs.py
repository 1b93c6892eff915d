"""Pairs of an oracle clip and another one, which a ranker is trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posemill.pipelines.select.videos import CutVideos, Positions
from posemill.schema import Int64


@dataclass(frozen=True)
class RankedClips:
    """The clips of videos that have oracle clips and others, by their numbers among answers."""

    oracle: tuple[Int64, ...]
    others: tuple[Int64, ...]

    @classmethod
    def of(cls, videos: CutVideos, oracle: Positions) -> RankedClips:
        """Of videos with nothing but oracle clips there is nothing to learn: they are left out."""
        split = [
            (rows[places], np.delete(rows, places))
            for rows, places in zip(videos.rows, oracle, strict=True)
            if len(places) < len(rows)
        ]
        return cls(tuple(best for best, _ in split), tuple(rest for _, rest in split))

    def __len__(self) -> int:
        """Videos."""
        return len(self.oracle)

    def draw(self, rng: np.random.Generator) -> Int64:
        """(P, 2) an epoch: every oracle clip once, each beside another clip of its video.

        Rows are in random order, so that any of them in a row are a batch with as many
        oracle clips as others. Two clips of one video are compared, as at test.
        """
        pairs = [
            np.stack([best, rng.choice(rest, len(best), replace=len(rest) < len(best))], axis=1)
            for best, rest in zip(self.oracle, self.others, strict=True)
        ]
        return rng.permutation(np.concatenate(pairs))
