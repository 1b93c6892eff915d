"""PA3D's ten clips of a video."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from posemill.schema import Int64
from posemill.transforms.arguments import counts
from posemill.transforms.sampling.windows import even_starts

Span = Literal["windows", "video"]

PA3D_CLIPS = 10


def pa3d_clips(num_frames: int, length: int, span: Span = "windows") -> Int64:
    """Frame numbers (10, length) of PA3D's ten clips.

    `windows`: `length` consecutive frames from ten evenly spaced starts; a
    video shorter than that repeats its last frame, so that nothing seems to
    jump. `video`: frame g * num_frames // (10 length) for g = i + 10 j is the
    j-th of clip i, so that every clip spans the video.

    Raises:
        ValueError: no frame, a length below 1, or an unknown span.
    """
    num_frames, length = counts(num_frames=num_frames, length=length)
    _check_span(span)
    if span == "windows":
        return _windows(even_starts(max(num_frames - length, 0), PA3D_CLIPS), length, num_frames)
    return _spanning(np.arange(PA3D_CLIPS), length, num_frames)


def pa3d_random_clip(
    num_frames: int, length: int, rng: np.random.Generator, span: Span = "windows"
) -> Int64:
    """Frame numbers (length,) of one clip for training.

    `windows`: `length` consecutive frames from any start. `video`: one of the
    ten clips of `pa3d_clips`.

    Raises:
        ValueError: as `pa3d_clips`.
    """
    num_frames, length = counts(num_frames=num_frames, length=length)
    _check_span(span)
    if span == "windows":
        start = rng.integers(max(num_frames - length, 0) + 1, size=1)
        return _windows(start, length, num_frames).reshape(-1)
    return _spanning(rng.integers(PA3D_CLIPS, size=1), length, num_frames).reshape(-1)


def _windows(starts: Int64, length: int, num_frames: int) -> Int64:
    frames: Int64 = np.minimum(starts[:, None] + np.arange(length), num_frames - 1)
    return frames


def _spanning(numbers: Int64, length: int, num_frames: int) -> Int64:
    grid = numbers[:, None] + PA3D_CLIPS * np.arange(length)
    frames: Int64 = grid * num_frames // (PA3D_CLIPS * length)
    return frames


def _check_span(span: Span) -> None:
    if span not in get_args(Span):
        raise ValueError(f"span must be 'windows' or 'video', got {span!r}")
