"""Joints from the frame into a picture of a box, and into the mirror."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.schema import Float32
from posemill.transforms.geometry.boxes import Box


def map_to(xy_px: Float32, box: Box, size_hw: tuple[int, int]) -> Float32:
    """`xy_px` (..., 2) of the frame, in px of a picture of `size_hw` that shows `box`.

    Raises:
        ValueError: coordinates that are not pairs, or a size below 1 px.
    """
    height, width = size_hw
    if xy_px.ndim < 1 or xy_px.shape[-1] != 2:
        raise ValueError(f"xy_px must be (..., 2), got {xy_px.shape}")
    if height < 1 or width < 1:
        raise ValueError(f"size_hw must be at least 1 x 1 px, got {size_hw}")
    scale = np.array([width / box.width, height / box.height])
    edge = np.array([box.left, box.top])
    mapped: Float32 = ((xy_px.astype(np.float64) - edge) * scale - 0.5).astype(np.float32)
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
        ValueError: shapes that disagree, or a mirror that is not of K joints.
    """
    check_joints(xy_px, score)
    order = list(mirror)
    if sorted(order) != list(range(score.shape[-1])):
        raise ValueError(
            f"mirror must hold each of the {score.shape[-1]} joints once, got {tuple(order)}"
        )
    flipped = xy_px[..., order, :]
    flipped[..., 0] = np.float32(width - 1.0) - flipped[..., 0]
    return flipped, score[..., order]


def check_joints(xy_px: Float32, score: Float32) -> None:
    """Raise ValueError unless `xy_px` is (..., K, 2) for a `score` of (..., K)."""
    if score.ndim < 1:
        raise ValueError(f"score must be (..., K), got {score.shape}")
    if xy_px.shape != (*score.shape, 2):
        raise ValueError(f"xy_px must be {(*score.shape, 2)}, as score is, got {xy_px.shape}")
