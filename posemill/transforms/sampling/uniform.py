"""PoseConv3D's uniform sampling: a frame of each of the clip's equal bins."""

from __future__ import annotations

import numpy as np

from posemill.schema import Int64
from posemill.transforms.arguments import counts
from posemill.transforms.sampling.bins import cut


def uniform_clip(num_frames: int, length: int, rng: np.random.Generator) -> Int64:
    """Frame numbers (length,) of one training clip (PoseConv3D, section 3.2 and its code).

    * num_frames >= 2 length: a random frame of each of `length` equal bins;
    * length <= num_frames < 2 length: all but `num_frames - length` frames
      left out at random, no two of them in a row;
    * num_frames < length: from a random start on, around and around.

    Raises:
        ValueError: no frame, or a length below 1.
    """
    num_frames, length = counts(num_frames=num_frames, length=length)
    if num_frames < length:
        return _cyclic(int(rng.integers(num_frames)), num_frames, length)
    return _long_clip(num_frames, length, rng)


def uniform_test_clips(
    num_frames: int, length: int, num_clips: int, rng: np.random.Generator
) -> Int64:
    """Frame numbers (num_clips, length) of the clips whose scores are averaged at test.

    As `uniform_clip`, drawn one after another from `rng` (give it a fixed
    seed), except that in a video shorter than `length` the starts are spread
    evenly: i * num_frames // num_clips, or i where there are fewer frames than
    clips.

    Raises:
        ValueError: no frame, or a length or number of clips below 1.
    """
    num_frames, length, num_clips = counts(
        num_frames=num_frames, length=length, num_clips=num_clips
    )
    if num_frames >= length:
        return np.stack([_long_clip(num_frames, length, rng) for _ in range(num_clips)])
    spread = num_frames >= num_clips
    starts = [i * num_frames // num_clips if spread else i for i in range(num_clips)]
    return np.stack([_cyclic(start, num_frames, length) for start in starts])


def _long_clip(num_frames: int, length: int, rng: np.random.Generator) -> Int64:
    if num_frames < 2 * length:
        skips = rng.choice(length + 1, num_frames - length, replace=False)
        skipped = np.zeros(length + 1, np.int64)
        skipped[skips] = 1
        return np.arange(length) + np.cumsum(skipped)[:-1]
    return cut(num_frames, length, "equal").draw(rng)


def _cyclic(start: int, num_frames: int, length: int) -> Int64:
    return np.arange(start, start + length) % num_frames
