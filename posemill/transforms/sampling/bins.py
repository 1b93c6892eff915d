"""A video cut into bins, of each of which one frame is taken."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np

from posemill.schema import Int64

BinKind = Literal["equal", "floor"]


class Bins(NamedTuple):
    """Bin i is the frames start[i] .. start[i] + size[i] - 1; none is empty."""

    start: Int64  # (L,)
    size: Int64  # (L,)

    def draw(self, rng: np.random.Generator | None) -> Int64:
        """Frame numbers (L,): one of each bin at random; without a generator its middle."""
        return self.start + (self.size // 2 if rng is None else rng.integers(self.size))


def cut(num_frames: int, num_bins: int, kind: BinKind) -> Bins:
    """Cut `num_frames` frames into `num_bins` bins.

    * `equal`: from i num_frames // num_bins up to where the next begins, so
      that every frame is in a bin (PoseConv3D, VPN). In a video with fewer
      frames than bins, bin i is that one frame.
    * `floor`: each of num_frames // num_bins frames, so that what is left over
      at the end is in none (PARNet's published code). In a video with fewer
      frames than bins, bin i is frame i, and then the last frame.

    Raises:
        ValueError: no frame, no bin, or an unknown kind.
    """
    if kind not in get_args(BinKind):
        raise ValueError(f"bins must be 'equal' or 'floor', got {kind!r}")
    if kind == "equal":
        edges = np.arange(num_bins + 1) * num_frames // num_bins
        return Bins(edges[:-1], np.maximum(np.diff(edges), 1))
    size = max(num_frames // num_bins, 1)
    start = np.minimum(np.arange(num_bins) * size, num_frames - 1)
    return Bins(start, np.full(num_bins, size))
