"""Heatmaps to joints, without the bias of the grid; and heatmaps spread over the frame.

Sources: F. Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose
Estimation", CVPR 2020 (the logarithm of a smoothed heatmap is a parabola around its
peak; section 3.2); J. Huang et al., CVPR 2020 (see `crop`).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from posemill.models.estimators.vitpose.crop import Crops, Float64
from posemill.schema import Float32, Int64

SIGMA = 2.0
"""Cells: of the Gaussians that the weights were trained to draw, and of the smoothing, as in
Zhang et al."""
RADIUS = 5
"""Cells: how far the smoothing reaches (a kernel of 11 cells, as in the published settings)."""
_FLOOR = 1e-3
"""Of the peak: what is less than that, or negative, has no logarithm of use."""


def decode_heatmaps(heatmaps: Float32) -> tuple[Float32, Float32]:
    """Where each heatmap (N, K, h, w) has its peak, and how high that is.

    Around the greatest cell the heatmap is smoothed, and the Taylor expansion of its
    logarithm tells where between the cells the peak lies; for a Gaussian exactly. Near
    a border the smoothing reaches only as far as the heatmap does on both sides: values
    made up beyond it would draw the peak inwards. The expansion is around the nearest
    cell that has neighbours on all sides.

    Returns:
        xy (N, K, 2), fractions of the unit lengths w - 1 and h - 1; score (N, K), the
        greatest cell, in [0, 1].
    """
    num_persons, num_joints, rows, columns = heatmaps.shape
    flat = heatmaps.reshape(-1, rows, columns)
    peak = flat.reshape(len(flat), rows * columns).argmax(axis=1)
    y, x = np.divmod(peak, columns)
    score = flat[np.arange(len(flat)), y, x]
    down, across = _smoothing(rows), _smoothing(columns)
    around = down[y] @ flat.astype(np.float64) @ across[x].swapaxes(1, 2)  # (M, 3, 3)
    floor = _FLOOR * np.maximum(score, np.finfo(np.float32).tiny)[:, None, None]
    step = _taylor_step(np.log(np.maximum(around, floor)))
    cell = np.stack([x, y], axis=1).astype(np.float64)
    centre = np.stack([_inner(x, columns), _inner(y, rows)], axis=1)
    moved = np.clip(centre + step, cell - 1, cell + 1)
    xy = np.where(np.isfinite(step), moved, cell) / (np.array([columns, rows]) - 1)
    shape = num_persons, num_joints
    return (
        xy.astype(np.float32).reshape(*shape, 2),
        np.clip(score, 0, 1).astype(np.float32).reshape(shape),
    )


def paste_heatmaps(
    heatmaps: Float32, crops: Crops, size_wh: tuple[int, int], grid: tuple[int, int]
) -> Float32:
    """The heatmaps (N, K, h, w) of a frame's people on the grid of the frame: (K, rows, columns).

    A cell takes the greatest of all people's heatmaps, interpolated linearly at its
    centre, and of their cells that are centred in it, so that no peak is lost where
    the grid is the coarser one. 0 where no crop is; values in [0, 1].
    """
    pasted = np.zeros((heatmaps.shape[1], *grid), np.float32)
    for maps, left_top, size in zip(heatmaps, crops.left_top, crops.size, strict=True):
        columns, rows = (
            _Axis(low, length, cells, pixels, out)
            for low, length, cells, pixels, out in zip(
                left_top, size, maps.shape[:0:-1], size_wh, grid[::-1], strict=True
            )
        )
        _raise(pasted, _interpolated(maps, rows, columns), rows.covered, columns.covered)
        _raise(pasted, *_greatest(maps, rows, columns))
    return np.clip(pasted, 0, 1)


class _Axis:
    """How the cells of a heatmap and of the frame's grid lie to each other, along x or y."""

    def __init__(self, low: float, length: float, cells: int, pixels: int, out: int) -> None:
        """The heatmap's first cell is centred at `low` pixels and its last one `length` further;
        the grid has `out` cells in `pixels`."""
        per_cell = pixels / out
        centres = (np.arange(out) + 0.5) * per_cell - 0.5
        place = (centres - low) / length * (cells - 1)
        self.covered = np.flatnonzero((place > -1) & (place < cells))
        """Cells of the grid whose centres are on the heatmap, or within a cell of it."""
        self.weights = np.maximum(0, 1 - np.abs(place[self.covered, None] - np.arange(cells)))
        centred = low + np.arange(cells) / (cells - 1) * length
        self.cell = np.floor((centred + 0.5) / per_cell).astype(np.int64)
        """The cell of the grid that holds the centre of each cell of the heatmap."""
        self.inside = np.flatnonzero((self.cell >= 0) & (self.cell < out))


def _interpolated(maps: Float32, rows: _Axis, columns: _Axis) -> Float64:
    return np.asarray(rows.weights @ maps @ columns.weights.T, np.float64)


def _greatest(maps: Float32, rows: _Axis, columns: _Axis) -> tuple[Float32, Int64, Int64]:
    """The greatest of the cells in each cell of the grid, and the rows and columns of those."""
    inner = maps[:, rows.inside][:, :, columns.inside]
    down, first_down = np.unique(rows.cell[rows.inside], return_index=True)
    across, first_across = np.unique(columns.cell[columns.inside], return_index=True)
    if len(down) and len(across):
        inner = np.maximum.reduceat(inner, first_down, axis=1)
        inner = np.maximum.reduceat(inner, first_across, axis=2)
    return inner[:, : len(down), : len(across)], down, across


def _raise(pasted: Float32, values: npt.NDArray[np.floating], rows: Int64, columns: Int64) -> None:
    place = np.ix_(np.arange(len(pasted)), rows, columns)
    pasted[place] = np.maximum(pasted[place], values)


def _taylor_step(log: Float64) -> Float64:
    """(M, 2) x and y from the centre of 3 x 3 logarithms to the top of their parabola; NaN where
    they have none."""
    dx, dy = (log[:, 1, 2] - log[:, 1, 0]) / 2, (log[:, 2, 1] - log[:, 0, 1]) / 2
    dxx = log[:, 1, 2] - 2 * log[:, 1, 1] + log[:, 1, 0]
    dyy = log[:, 2, 1] - 2 * log[:, 1, 1] + log[:, 0, 1]
    dxy = (log[:, 2, 2] - log[:, 2, 0] - log[:, 0, 2] + log[:, 0, 0]) / 4
    determinant = dxx * dyy - dxy * dxy
    is_top = (dxx < 0) & (determinant > 0)
    determinant = np.where(is_top, determinant, np.nan)
    return np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=1) / determinant[:, None]


@cache
def _smoothing(cells: int) -> Float64:
    """(P, 3, P): for a peak in each of P cells, the weights that smooth the cell that the expansion
    is around, and its neighbours."""
    weights = np.zeros((cells, 3, cells))
    for peak in range(cells):
        centre = int(_inner(np.array(peak), cells))
        reach = min(RADIUS, centre - 1, cells - 2 - centre)
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SIGMA) ** 2)
        for neighbour in range(3):
            first = centre - 1 + neighbour - reach
            weights[peak, neighbour, first : first + len(kernel)] = kernel / kernel.sum()
    return weights


def _inner(cell: Int64, cells: int) -> Int64:
    """The nearest cell with neighbours on both sides."""
    return np.clip(cell, 1, cells - 2)
