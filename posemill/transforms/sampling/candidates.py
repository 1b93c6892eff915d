"""What a training cache holds of each bin, so that the draw is made at load.

A cache of all frames would be exact, and large; `per_bin` of each bin are
kept, and one of them is drawn whenever the clip is loaded.
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Int64
from posemill.transforms.arguments import counts
from posemill.transforms.sampling.bins import BinKind, cut


def bin_candidates(
    num_frames: int, num_bins: int, per_bin: int, *, bins: BinKind = "equal"
) -> Int64:
    """Frame numbers (num_bins, per_bin): `per_bin` evenly spread frames of each bin.

    Drawing one of each row, as `pick_candidates` does, approximates drawing
    one frame of each bin. It is the same where a bin's length divides
    `per_bin` (all of its frames are there, equally often); in a longer bin
    some frames are never drawn. The middle one of a row, `per_bin // 2`, is
    the frame that is taken at test, always.

    Args:
        num_frames: of the video.
        num_bins: 16 for PARNet, t_p for VPN.
        per_bin: candidates of each bin; an odd number spreads them
            symmetrically.
        bins: `equal` cuts as VPN and PoseConv3D do, `floor` as PARNet does.

    Raises:
        ValueError: no frame, no bin, no candidate, or an unknown kind of bins.
    """
    num_frames, num_bins, per_bin = counts(
        num_frames=num_frames, num_bins=num_bins, per_bin=per_bin
    )
    start, size = cut(num_frames, num_bins, bins)
    # In units of 1 / (2 per_bin) of a bin; an odd number of candidates has one at its middle.
    places = 2 * np.arange(per_bin) + per_bin % 2
    candidates: Int64 = start[:, None] + places * size[:, None] // (2 * per_bin)
    return candidates


def pick_candidates(num_bins: int, per_bin: int, rng: np.random.Generator | None = None) -> Int64:
    """Indices (num_bins,) into flattened `bin_candidates`: one of each bin, at random.

    Without a generator, the candidate that is taken at test.

    Raises:
        ValueError: no bin or no candidate.
    """
    num_bins, per_bin = counts(num_bins=num_bins, per_bin=per_bin)
    chosen = per_bin // 2 if rng is None else rng.integers(per_bin, size=num_bins)
    return np.arange(num_bins) * per_bin + chosen
