"""Turning and scaling about a point, as matrices (2, 3) on columns (x, y, 1).

y points down, so a positive angle turns x towards y: clockwise to the eye.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32

Affine = npt.NDArray[np.float64]  # (2, 3)
Point = tuple[float, float]


def turn(centre: Point, degrees: float) -> Affine:
    """A rotation by `degrees` that leaves the point `centre`, (x, y), where it is."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return _about(centre, np.array([[cosine, -sine], [sine, cosine]]))


def scale(centre: Point, factor: float) -> Affine:
    """A scaling by `factor` that leaves the point `centre`, (x, y), where it is."""
    return _about(centre, np.array([[factor, 0.0], [0.0, factor]]))


def after(second: Affine, first: Affine) -> Affine:
    """The map that does `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], move(second, first[:, 2])])


def inverse(matrix: Affine) -> Affine:
    """The map that undoes `matrix`."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def move(matrix: Affine, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Where `points` (..., 2) go; what is NaN stays NaN."""
    # A sum of products, not a matrix product: one NaN must not reach other points.
    x, y = points[..., 0].astype(np.float64), points[..., 1].astype(np.float64)
    rows = [matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] for i in range(2)]
    return np.stack(rows, axis=-1)


def move_joints(matrix: Affine, xy_px: Float32) -> Float32:
    """As `move`, in the precision of joints."""
    moved: Float32 = move(matrix, xy_px).astype(np.float32)
    return moved


def _about(centre: Point, linear: npt.NDArray[np.float64]) -> Affine:
    point = np.array(centre, np.float64)
    return np.column_stack([linear, point - linear @ point])
