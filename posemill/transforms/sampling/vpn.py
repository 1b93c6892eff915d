"""VPN's poses, one of each of the video's chunks, and its windows of pictures."""

from __future__ import annotations

import numpy as np

from posemill.schema import Int64
from posemill.transforms.arguments import counts
from posemill.transforms.sampling.bins import cut
from posemill.transforms.sampling.windows import even_starts

VPN_PICTURES = 64
VPN_WINDOWS = 10
_STRIDE = 2


def vpn_frames(num_frames: int, num_chunks: int, rng: np.random.Generator | None = None) -> Int64:
    """Frame numbers (num_chunks,) of the poses: one at random of each of equal chunks.

    Without a generator, the middle of each. A video of fewer frames than
    chunks repeats frames, evenly. The published code instead drops a short
    rest of the video, and fills up a long one with poses of zeros.

    Raises:
        ValueError: no frame, or no chunk.
    """
    num_frames, num_chunks = counts(num_frames=num_frames, num_chunks=num_chunks)
    return cut(num_frames, num_chunks, "equal").draw(rng)


def vpn_window(
    num_frames: int, length: int = VPN_PICTURES, rng: np.random.Generator | None = None
) -> Int64:
    """Frame numbers (length,) of the pictures: a window at random (VPN's published code).

    Every other frame in a video of more than 2 length frames, else consecutive
    frames; in a video of fewer than `length` each frame is repeated, in order,
    the first ones once more often than the last. Without a generator, the
    window lies in the middle.

    Raises:
        ValueError: no frame, or a length below 1.
    """
    num_frames, length = counts(num_frames=num_frames, length=length)
    room = _room(num_frames, length)
    start = room // 2 if rng is None else int(rng.integers(room + 1))
    window: Int64 = _windows(np.array([start]), num_frames, length)[0]
    return window


def vpn_test_windows(
    num_frames: int, length: int = VPN_PICTURES, num_windows: int = VPN_WINDOWS
) -> Int64:
    """Frame numbers (num_windows, length) of windows as `vpn_window`'s, spread evenly.

    Raises:
        ValueError: no frame, or a length or number of windows below 1.
    """
    num_frames, length, num_windows = counts(
        num_frames=num_frames, length=length, num_windows=num_windows
    )
    return _windows(even_starts(_room(num_frames, length), num_windows), num_frames, length)


def _stride(num_frames: int, length: int) -> int:
    return _STRIDE if num_frames > _STRIDE * length else 1


def _room(num_frames: int, length: int) -> int:
    return max(num_frames - _stride(num_frames, length) * length, 0)


def _windows(starts: Int64, num_frames: int, length: int) -> Int64:
    if num_frames < length:
        return np.tile(np.sort(np.arange(length) % num_frames), (len(starts), 1))
    return starts[:, None] + _stride(num_frames, length) * np.arange(length)
