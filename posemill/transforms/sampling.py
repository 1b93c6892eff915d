"""Which frames of a video go into a clip: PoseConv3D's uniform bins, PA3D's windows."""

from __future__ import annotations

from typing import Literal

import numpy as np

from posemill.schema import Int64

Span = Literal["windows", "video"]

PA3D_CLIPS = 10


def uniform_clip(num_frames: int, length: int, rng: np.random.Generator) -> Int64:
    """Frame numbers (length,) of one training clip (PoseConv3D, section 3.2 and its code).

    * num_frames >= 2 length: a random frame of each of `length` equal bins;
    * length <= num_frames < 2 length: all but `num_frames - length` frames
      left out at random, no two of them in a row;
    * num_frames < length: from a random start on, around and around.

    Raises:
        ValueError: no frame, or a length below 1.
    """
    _check(num_frames, length)
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
    _check(num_frames, length)
    if num_clips < 1:
        raise ValueError(f"num_clips must be at least 1, got {num_clips}")
    if num_frames >= length:
        return np.stack([_long_clip(num_frames, length, rng) for _ in range(num_clips)])
    spread = num_frames >= num_clips
    starts = [i * num_frames // num_clips if spread else i for i in range(num_clips)]
    return np.stack([_cyclic(start, num_frames, length) for start in starts])


def pa3d_clips(num_frames: int, length: int, span: Span = "windows") -> Int64:
    """Frame numbers (10, length) of PA3D's ten clips.

    `windows`: `length` consecutive frames from ten evenly spaced starts; a
    video shorter than that repeats its last frame, so that nothing seems to
    jump. `video`: frame g * num_frames // (10 length) for g = i + 10 j is the
    j-th of clip i, so that every clip spans the video.

    Raises:
        ValueError: no frame, a length below 1, or an unknown span.
    """
    _check(num_frames, length)
    if span == "windows":
        # floor(a / b + 1/2) in integers: bit-equal everywhere.
        gaps, room = PA3D_CLIPS - 1, max(num_frames - length, 0)
        starts = (2 * np.arange(PA3D_CLIPS) * room + gaps) // (2 * gaps)
        windows: Int64 = np.minimum(starts[:, None] + np.arange(length), num_frames - 1)
        return windows
    if span == "video":
        grid = np.arange(PA3D_CLIPS)[:, None] + PA3D_CLIPS * np.arange(length)
        frames: Int64 = grid * num_frames // (PA3D_CLIPS * length)
        return frames
    raise ValueError(f"span must be 'windows' or 'video', got {span!r}")


def _long_clip(num_frames: int, length: int, rng: np.random.Generator) -> Int64:
    if num_frames < 2 * length:
        skips = rng.choice(length + 1, num_frames - length, replace=False)
        skipped = np.zeros(length + 1, np.int64)
        skipped[skips] = 1
        return np.arange(length) + np.cumsum(skipped)[:-1]
    edges = np.arange(length + 1) * num_frames // length
    return edges[:-1] + rng.integers(np.diff(edges))


def _cyclic(start: int, num_frames: int, length: int) -> Int64:
    return np.arange(start, start + length) % num_frames


def _check(num_frames: int, length: int) -> None:
    if num_frames < 1 or length < 1:
        raise ValueError(
            f"sampling needs at least one frame and a length of at least 1, "
            f"got {num_frames} frames and length {length}"
        )
