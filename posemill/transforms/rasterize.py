"""Joints into pixels: Gaussian patches scattered by compiled loops.

A joint k of person m at (x, y) with score c adds to its map, at pixel (i, j),

    J_k(i, j) = c exp(-((i - x)^2 + (j - y)^2) / (2 sigma^2))

(PoseConv3D, equation 1), over the pixels from floor(x - 3 sigma) to
floor(x + 3 sigma), and likewise in y. People are combined by the greatest
value ("max", as published in code) or by the sum ("sum", as the paper says).

Joints with a score below 0.001, without coordinates or off the map draw nothing.

All kernels live in this file: numba's disk cache looks at the file of a
kernel only, not at those of the functions it calls.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, Int64
from posemill.transforms.compiled import compiled

Combine = Literal["max", "sum"]

MIN_SCORE = 1e-3
CUTOFF_SIGMAS = 3.0
# Below, neighbouring pixels differ by more than float64 can tell.
MIN_SIGMA_PX = 0.1


def draw_joints(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    sigma: float,
    out: Float32,
    combine: Combine = "max",
) -> None:
    """Draw the joints of T frames into `out`, which must hold zeros.

    Args:
        xy_px: (P, K, 2) in px of the maps.
        score: (P, K); 0 = not detected.
        frame_ptr: (T + 1,); rows `frame_ptr[t] : frame_ptr[t + 1]` are frame t.
        sigma: of the Gaussians, px; 0.1 or more.
        out: (K, T, H, W), C-contiguous; any slice of a larger array will do.
        combine: how people of a frame meet in a pixel.

    Raises:
        ValueError: shapes that disagree, a sigma below 0.1, an
            unknown `combine`, or an `out` of another dtype or layout.
    """
    arrays = _checked(xy_px, score, frame_ptr, out, out.shape[1])
    _draw(*arrays, _usable(sigma), _adds(combine), out)


def erase_joints(
    xy_px: Float32, score: Float32, frame_ptr: Int64, sigma: float, out: Float32
) -> None:
    """Put zeros where `draw_joints` with the same arguments has drawn.

    Much cheaper than clearing all of `out` to draw the next clip into it.
    Arguments and errors as for `draw_joints`.
    """
    arrays = _checked(xy_px, score, frame_ptr, out, out.shape[1])
    _erase(*arrays, _usable(sigma), out)


def accumulate_joints(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    weights: Float32,
    sigma: float,
    out: Float32,
    combine: Combine = "max",
) -> None:
    """Add to `out` the maps of all frames, weighted: sum_t weights[t, c] J_k^t.

    The volume of all J_k^t is never made. Arguments as for `draw_joints`, but:

    Args:
        weights: (T, C).
        out: (K, C, H, W); is added to.

    Raises:
        ValueError: as `draw_joints`, or weights that are not (T, C).
    """
    num_frames = len(frame_ptr) - 1
    if weights.shape != (num_frames, out.shape[1]):
        raise ValueError(
            f"weights must be (T, C) = ({num_frames}, {out.shape[1]}), got {weights.shape}"
        )
    arrays = _checked(xy_px, score, frame_ptr, out, num_frames)
    _accumulate(*arrays, _owned(weights, np.float32), _usable(sigma), _adds(combine), out)


def _checked(
    xy_px: Float32, score: Float32, frame_ptr: Int64, out: Float32, num_frames: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    num_rows, num_keypoints = score.shape
    if xy_px.shape != (num_rows, num_keypoints, 2):
        raise ValueError(f"xy_px must be ({num_rows}, {num_keypoints}, 2), got {xy_px.shape}")
    if len(frame_ptr) != num_frames + 1 or frame_ptr[0] < 0 or frame_ptr[-1] > num_rows:
        raise ValueError(
            f"frame_ptr must have {num_frames + 1} entries within [0, {num_rows}], "
            f"got {len(frame_ptr)}"
        )
    if np.any(np.diff(frame_ptr) < 0):
        raise ValueError("frame_ptr must not decrease")
    if out.ndim != 4 or out.shape[0] != num_keypoints:
        raise ValueError(f"out must be ({num_keypoints}, ., H, W), got {out.shape}")
    if out.dtype != np.float32 or not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(f"out must be writeable, C-contiguous float32, got {out.dtype}")
    return _owned(xy_px, np.float32), _owned(score, np.float32), _owned(frame_ptr, np.int64)


def _owned(array: npt.NDArray[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    # One layout, one compiled version: numba compiles anew for read-only or strided arrays.
    return np.require(array, dtype, ["C", "W"])


def _usable(sigma: float) -> float:
    if not MIN_SIGMA_PX <= sigma < float("inf"):
        raise ValueError(f"sigma must be {MIN_SIGMA_PX} px or more, got {sigma}")
    return float(sigma)


def _adds(combine: str) -> bool:
    if combine not in get_args(Combine):
        raise ValueError(f"combine must be 'max' or 'sum', got {combine!r}")
    return combine == "sum"


@compiled
def _reach(centre, sigma, size):  # type: ignore[no-untyped-def]
    """The pixels first .. stop - 1 of a line of `size` that a joint reaches, perhaps none."""
    reach = CUTOFF_SIGMAS * sigma
    # Also false for NaN, and before the cast to integers could overflow.
    if not (centre + reach >= 0.0 and centre - reach < size):
        return 0, 0
    return max(int(np.floor(centre - reach)), 0), min(int(np.floor(centre + reach)) + 1, size)


@compiled
def _patch(x, y, score, sigma, height, width):  # type: ignore[no-untyped-def]
    """The pixels x0 .. x1 - 1 and y0 .. y1 - 1 that a joint reaches; empty where it is missing."""
    if not score >= MIN_SCORE:
        return 0, 0, 0, 0
    x0, x1 = _reach(x, sigma, width)
    y0, y1 = _reach(y, sigma, height)
    if x0 >= x1 or y0 >= y1:
        return 0, 0, 0, 0
    return x0, x1, y0, y1


@compiled
def _profile(first, stop, centre, peak, sigma, line):  # type: ignore[no-untyped-def]
    """peak exp(-(i - centre)^2 / (2 sigma^2)) for the pixels first .. stop - 1 into `line`.

    Each pixel follows from the one before it, as the ratio of neighbours
    itself falls by a constant ratio: two exponentials a line.
    """
    falloff = -0.5 / (sigma * sigma)
    distance = first - centre
    value = peak * np.exp(falloff * distance * distance)
    ratio = np.exp(falloff * (2.0 * distance + 1.0))
    ratio_of_ratios = np.exp(2.0 * falloff)
    for i in range(stop - first):
        line[i] = value
        value *= ratio
        ratio *= ratio_of_ratios


@compiled
def _draw(xy, score, ptr, sigma, add, out):  # type: ignore[no-untyped-def]
    num_keypoints, num_frames, height, width = out.shape
    column, row = np.empty(width, np.float32), np.empty(height, np.float32)
    for k in range(num_keypoints):
        for t in range(num_frames):
            for p in range(ptr[t], ptr[t + 1]):
                x, y, peak = float(xy[p, k, 0]), float(xy[p, k, 1]), score[p, k]
                x0, x1, y0, y1 = _patch(x, y, peak, sigma, height, width)
                _profile(x0, x1, x, 1.0, sigma, column)
                _profile(y0, y1, y, peak, sigma, row)
                for j in range(y0, y1):
                    for i in range(x0, x1):
                        value = row[j - y0] * column[i - x0]
                        if add:
                            out[k, t, j, i] += value
                        elif value > out[k, t, j, i]:
                            out[k, t, j, i] = value


@compiled
def _erase(xy, score, ptr, sigma, out):  # type: ignore[no-untyped-def]
    num_keypoints, num_frames, height, width = out.shape
    for k in range(num_keypoints):
        for t in range(num_frames):
            for p in range(ptr[t], ptr[t + 1]):
                x, y = float(xy[p, k, 0]), float(xy[p, k, 1])
                x0, x1, y0, y1 = _patch(x, y, score[p, k], sigma, height, width)
                for j in range(y0, y1):
                    for i in range(x0, x1):
                        out[k, t, j, i] = 0.0


@compiled
def _accumulate(xy, score, ptr, weights, sigma, add, out):  # type: ignore[no-untyped-def]
    num_keypoints, _, height, width = out.shape
    column, row = np.empty(width, np.float32), np.empty(height, np.float32)
    plane = np.zeros((height, width), np.float32)  # one joint in one frame
    for k in range(num_keypoints):
        for t in range(len(ptr) - 1):
            for p in range(ptr[t], ptr[t + 1]):
                x, y, peak = float(xy[p, k, 0]), float(xy[p, k, 1]), score[p, k]
                x0, x1, y0, y1 = _patch(x, y, peak, sigma, height, width)
                _profile(x0, x1, x, 1.0, sigma, column)
                _profile(y0, y1, y, peak, sigma, row)
                for j in range(y0, y1):
                    for i in range(x0, x1):
                        value = row[j - y0] * column[i - x0]
                        plane[j, i] = plane[j, i] + value if add else max(plane[j, i], value)
            for p in range(ptr[t], ptr[t + 1]):  # only when all people are in
                x, y = float(xy[p, k, 0]), float(xy[p, k, 1])
                x0, x1, y0, y1 = _patch(x, y, score[p, k], sigma, height, width)
                _move(plane, x0, x1, y0, y1, weights, t, k, out)


@compiled
def _move(plane, x0, x1, y0, y1, weights, t, k, out):  # type: ignore[no-untyped-def]
    """Add a patch of `plane` to `out` with frame t's weights; clear it, so it counts once."""
    for c in range(weights.shape[1]):
        if weights[t, c] != 0.0:
            for j in range(y0, y1):
                for i in range(x0, x1):
                    out[k, c, j, i] += weights[t, c] * plane[j, i]
    for j in range(y0, y1):
        for i in range(x0, x1):
            plane[j, i] = 0.0
