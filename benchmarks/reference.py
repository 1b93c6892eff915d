"""The published heatmap generation in plain numpy: what our rasterisers are measured against.

The algorithm of PoseConv3D's published code, written anew: joint by joint, frame
by frame, person by person a patch of pixels, combined by the greater value.
Gaussians and limbs are cut at the pixels that hold x - 3 sigma and x + 3 sigma;
a limb shorter than a pixel is its first joint, by that joint's score. PoTion
goes through the whole volume and keeps a coloured copy of every frame.

People are (M, T, K, 2) in px and scores (M, T, K), 0 = missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MIN_SCORE = 1e-3
PEAK_DELTA, INTENSITY_EPSILON = 1e-4, 1.0


def joint_volume(xy: Array, score: Array, sigma: float, size_hw: tuple[int, int]) -> Array:
    """(K, T, H, W) float32."""
    num_persons, num_frames, num_keypoints = score.shape
    out = np.zeros((num_keypoints, num_frames, *size_hw), np.float32)
    for k in range(num_keypoints):
        for t in range(num_frames):
            for m in range(num_persons):
                _draw_joint(out[k, t], xy[m, t, k], score[m, t, k], sigma)
    return out


def limb_volume(
    xy: Array,
    score: Array,
    limbs: Sequence[tuple[int, int]],
    sigma: float,
    size_hw: tuple[int, int],
) -> Array:
    """(L, T, H, W) float32."""
    num_persons, num_frames, _ = score.shape
    out = np.zeros((len(limbs), num_frames, *size_hw), np.float32)
    for number, (a, b) in enumerate(limbs):
        for t in range(num_frames):
            for m in range(num_persons):
                ends, scores = xy[m, t, [a, b]], score[m, t, [a, b]]
                _draw_limb(out[number, t], ends, scores, sigma)
    return out


def potion_s(volume: Array, num_channels: int) -> Array:
    """S (K, C, H, W) of a volume (K, T, H, W): every frame coloured, then all of them summed."""
    colours = _time_weights(volume.shape[1], num_channels)
    frames = volume.transpose(1, 2, 3, 0)[..., None]  # (T, H, W, K, 1)
    coloured = [
        np.matmul(frame, colour[None]) for frame, colour in zip(frames, colours, strict=True)
    ]
    return np.asarray(np.sum(coloured, axis=0)).transpose(2, 3, 0, 1)


def potion_uin(s: Array) -> tuple[Array, Array, Array]:
    """U (K, C, H, W), I (K, H, W) and N (K, C, H, W)."""
    u = s / (s.max(axis=(2, 3), keepdims=True) + PEAK_DELTA)
    i = u.sum(axis=1)
    return u, i, u / (i[:, None] + INTENSITY_EPSILON)


def _time_weights(num_frames: int, num_channels: int) -> Array:
    """(T, C): triangles around equally spaced frames, one for each channel."""
    place = np.linspace(0, num_channels - 1, num_frames)[:, None]
    weights = np.maximum(1 - np.abs(place - np.arange(num_channels)), 0)
    return np.asarray(weights, np.float32)


def _draw_joint(plane: Array, centre: Array, score: float, sigma: float) -> None:
    if score < MIN_SCORE:
        return
    columns, rows = _patch(plane, centre, centre, sigma)
    if not columns.size or not rows.size:
        return
    square = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2
    _put(plane, columns, rows, score * np.exp(square / (-2 * sigma**2)))


def _draw_limb(plane: Array, ends: Array, scores: Array, sigma: float) -> None:
    peak = min(scores[0], scores[1])
    if peak < MIN_SCORE:
        return
    a, b = ends
    length_square = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    if length_square < 1:
        _draw_joint(plane, a, scores[0], sigma)
        return
    columns, rows = _patch(plane, np.minimum(a, b), np.maximum(a, b), sigma)
    if not columns.size or not rows.size:
        return
    from_a = (columns - a[0]) ** 2 + (rows - a[1]) ** 2
    from_b = (columns - b[0]) ** 2 + (rows - b[1]) ** 2
    along = (from_a - from_b + length_square) / (2 * length_square)  # by the law of cosines
    foot_x, foot_y = a[0] + along * (b[0] - a[0]), a[1] + along * (b[1] - a[1])
    from_foot = (columns - foot_x) ** 2 + (rows - foot_y) ** 2
    square = np.where(along <= 0, from_a, np.where(along >= 1, from_b, from_foot))
    _put(plane, columns, rows, peak * np.exp(square / (-2 * sigma**2)))


def _patch(plane: Array, low: Array, high: Array, sigma: float) -> tuple[Array, Array]:
    """x (w,) and y (h, 1) of the pixels of the box from `low` to `high`, and 3 sigma around."""
    height, width = plane.shape
    reach = 3 * sigma
    x0, x1 = max(int(low[0] - reach), 0), min(int(high[0] + reach) + 1, width)
    y0, y1 = max(int(low[1] - reach), 0), min(int(high[1] + reach) + 1, height)
    columns = np.arange(x0, x1, dtype=np.float32)
    return columns, np.arange(y0, y1, dtype=np.float32)[:, None]


def _put(plane: Array, columns: Array, rows: Array, values: Array) -> None:
    y, x = int(rows[0, 0]), int(columns[0])
    window = plane[y : y + len(rows), x : x + len(columns)]
    np.maximum(window, values, out=window)
