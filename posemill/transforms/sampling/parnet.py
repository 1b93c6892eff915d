"""PARNet's sparse sampling: one frame of each of 16 segments."""

from __future__ import annotations

import numpy as np

from posemill.schema import Int64
from posemill.transforms.arguments import counts
from posemill.transforms.sampling.bins import cut

PARNET_FRAMES = 16


def parnet_frames(
    num_frames: int, length: int = PARNET_FRAMES, rng: np.random.Generator | None = None
) -> Int64:
    """Frame numbers (length,), of pictures and poses alike (PARNet, section IV and its code).

    Segments are of d = num_frames // length frames, and what is left over at
    the end is not used: i d + a random number below d with a generator (to
    train), i d + d // 2 without (to test). A video of fewer than `length`
    frames is taken whole, and its last frame repeated.

    Raises:
        ValueError: no frame, or a length below 1.
    """
    num_frames, length = counts(num_frames=num_frames, length=length)
    return cut(num_frames, length, "floor").draw(rng)
