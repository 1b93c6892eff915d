"""Joints from the frame into a picture of a box, and into the mirror."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.schema import Float32
from posemill.transforms.arguments import (
    checked_mirror,
    floating,
    height_width,
    positive,
    real_array,
)
from posemill.transforms.geometry.boxes import Box


def map_to(xy_px: Float32, box: Box, size_hw: tuple[int, int]) -> Float32:
    """`xy_px` (..., 2) of the frame, in px of a picture of `size_hw` that shows `box`.

    Raises:
        ValueError: coordinates that are not pairs, or a size below 1 px.
    """
    height, width = height_width("size_hw", size_hw)
    points = real_array("xy_px", xy_px)
    if points.ndim < 1 or points.shape[-1] != 2:
        raise ValueError(f"xy_px must be (..., 2), got {points.shape}")
    scale = np.array([width / box.width, height / box.height])
    edge = np.array([box.left, box.top])
    mapped: Float32 = ((points.astype(np.float64) - edge) * scale - 0.5).astype(np.float32)
    return mapped


def flip_joints(
    xy_px: Float32, score: Float32, width: float, mirror: Sequence[int]
) -> tuple[Float32, Float32]:
    """The joints seen in a mirror: x becomes width - 1 - x, left and right swap.

    Args:
        xy_px: (..., K, 2); score: (..., K).
        width: of the picture, px.
        mirror: of the skeleton, see `Skeleton.mirror`.

    Raises:
        ValueError: shapes that disagree, a width that is no number above 0, or
            a mirror that is not of K joints.
    """
    points, scores = checked_joints(xy_px, score)
    last = np.float32(positive("width", width) - 1.0)
    order = checked_mirror(mirror, scores.shape[-1])
    flipped = points[..., order, :]
    flipped[..., 0] = last - flipped[..., 0]
    return flipped, scores[..., order]


def checked_joints(xy_px: Float32, score: Float32) -> tuple[Float32, Float32]:
    """Both as arrays, (..., K, 2) and (..., K).

    Raises:
        ValueError: they are no arrays of real numbers, or their shapes disagree.
    """
    points, scores = floating("xy_px", xy_px), real_array("score", score)
    if scores.ndim < 1:
        raise ValueError(f"score must be (..., K), got {scores.shape}")
    if points.shape != (*scores.shape, 2):
        raise ValueError(f"xy_px must be {(*scores.shape, 2)}, as score is, got {points.shape}")
    return points, scores
