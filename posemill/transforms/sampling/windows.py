"""Windows: frames at equal distances, from one start on."""

from __future__ import annotations

import numpy as np

from posemill.schema import Int64
from posemill.transforms.arguments import counts


def strided_window(
    num_frames: int, length: int, stride: int, rng: np.random.Generator | None = None
) -> Int64:
    """Frame numbers (length,) at distances of `stride`, from a random start on.

    Without a generator the window lies in the middle of the video. A video too
    short for it is gone through from its first frame, around and around:
    frame i is i stride modulo num_frames.

    Raises:
        ValueError: no frame, or a length or stride below 1.
    """
    num_frames, length, stride = counts(num_frames=num_frames, length=length, stride=stride)
    room = _room(num_frames, length, stride)
    start = room // 2 if rng is None else int(rng.integers(room + 1))
    window: Int64 = _windows(np.array([start]), num_frames, length, stride)[0]
    return window


def strided_test_windows(num_frames: int, length: int, stride: int, num_windows: int) -> Int64:
    """Frame numbers (num_windows, length) of windows from the first that fits to the last.

    Starts are spread evenly; a single window lies in the middle. In a video
    too short, all windows are that of `strided_window`.

    Raises:
        ValueError: no frame, or a length, stride or number of windows below 1.
    """
    num_frames, length, stride, num_windows = counts(
        num_frames=num_frames, length=length, stride=stride, num_windows=num_windows
    )
    starts = even_starts(_room(num_frames, length, stride), num_windows)
    return _windows(starts, num_frames, length, stride)


def even_starts(room: int, num_windows: int) -> Int64:
    """Starts (num_windows,) spread evenly from 0 to `room`, or its middle for one window."""
    gaps = num_windows - 1
    if gaps == 0:
        return np.array([room // 2])
    # floor(a / b + 1/2) in integers: bit-equal everywhere.
    starts: Int64 = (2 * np.arange(num_windows) * room + gaps) // (2 * gaps)
    return starts


def _room(num_frames: int, length: int, stride: int) -> int:
    """The last start of a window that fits, or 0."""
    return max(num_frames - (length - 1) * stride - 1, 0)


def _windows(starts: Int64, num_frames: int, length: int, stride: int) -> Int64:
    return (starts[:, None] + stride * np.arange(length)) % num_frames
