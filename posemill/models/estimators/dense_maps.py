"""Dense maps as they are kept: of one frame, spread over exactly that frame.

A network sees a frame scaled and padded, and its cells lie every few pixels of
that; frames of one shape at another scale have other cells. Kept maps share one
grid: cell (y, x) of (h, w) is centred at the fractions ((x + 1/2) / w,
(y + 1/2) / h) of the frame. Between cells they are interpolated linearly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.schema import Float32


def frame_grid(size_wh: tuple[int, int], stride: float) -> tuple[int, int]:
    """Rows and columns of the grid of a frame of `size_wh` network pixels, a cell a stride."""
    width, height = size_wh
    return max(round(height / stride), 1), max(round(width / stride), 1)


def spread_over_frame(
    maps: Float32,
    stride: float,
    size_wh: tuple[int, int],
    grid: tuple[int, int],
    first_px: tuple[float, float] | None = None,
) -> Float32:
    """Maps (C, rows, columns) on the grid (h, w) of the frame: (C, h, w).

    Args:
        maps: their cells are centred `stride` network pixels apart.
        stride: network pixels.
        size_wh: of the frame without its padding, in network pixels.
        grid: as `frame_grid` gives it, for the frame at its usual scale.
        first_px: how far the first cell's centre is from the left and the top edge
            of the frame, in network pixels; half a stride where it is not given.
    """
    (width, height), (rows, columns) = size_wh, grid
    left, top = first_px or (stride / 2, stride / 2)
    down = _interpolation(maps.shape[1], height / stride, top / stride, rows)
    across = _interpolation(maps.shape[2], width / stride, left / stride, columns)
    return np.asarray(down @ maps @ across.T, np.float32)


def mean_over_scales(maps: Sequence[Float32]) -> Float32:
    """The mean of maps of one grid (PA3D averages so over four scales of its input)."""
    return np.asarray(sum(maps) / len(maps), np.float32)


def _interpolation(num_cells: int, extent: float, first: float, num_points: int) -> Float32:
    """Weights (P, N) of N cells for P points, each in the middle of its share of `extent` cells,
    where cell 0 is centred at `first`; the outermost cells go on beyond their centres."""
    position = (np.arange(num_points) + 0.5) * extent / num_points - first
    position = np.clip(position, 0, num_cells - 1)
    weights = 1 - np.abs(position[:, None] - np.arange(num_cells))
    return np.asarray(np.maximum(weights, 0), np.float32)
