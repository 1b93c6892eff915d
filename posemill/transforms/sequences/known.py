"""What is known of positions with scores, and points made of several joints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, Skeleton
from posemill.transforms.arguments import joint_numbers, real_array, shown


class Known(NamedTuple):
    """Positions with zeros, and scores of 0, where a joint is missing."""

    position: Float32  # (..., K, D)
    score: Float32  # (..., K)

    @property
    def there(self) -> npt.NDArray[np.bool_]:
        """(..., K): which joints are not missing."""
        return np.asarray(self.score > 0)


def known(name: str, position: Float32, score: Float32, axes: str) -> Known:
    """The two arrays checked against each other, with zeros for what is missing.

    Args:
        name: of the argument `position`, for messages.
        position: (*axes, 2 or 3).
        score: (*axes).
        axes: names of the axes of `score`, such as "T, M, K" or "..., K".

    Raises:
        ValueError: no arrays of real numbers, or shapes that do not fit.
    """
    position, score = real_array(name, position), real_array("score", score)
    names = axes.split(", ")
    required = len(names) - names.count("...")
    if score.ndim < required or (score.ndim > required and "..." not in names):
        raise ValueError(f"score must be ({axes}), got {score.shape}")
    if position.shape not in ((*score.shape, 2), (*score.shape, 3)):
        raise ValueError(
            f"{name} must be ({axes}, 2 or 3), a position for each of {score.shape} scores, "
            f"got {position.shape}"
        )
    there = (score > 0) & np.isfinite(position).all(axis=-1)
    return Known(
        np.where(there[..., None], position, 0).astype(np.float32, copy=False),
        np.where(there, score, 0).astype(np.float32, copy=False),
    )


def check_num_joints(name: str, positions: Float32, skeleton: Skeleton) -> None:
    """Refuses positions (..., K, D) of another number of joints than `skeleton` has.

    Raises:
        ValueError: K is another number.
    """
    if positions.shape[-2] != skeleton.num_keypoints:
        raise ValueError(
            f"{name} must have the {skeleton.num_keypoints} joints of {skeleton.name!r}, "
            f"got {positions.shape}"
        )


def middle(joints: Known, numbers: Sequence[int]) -> Known:
    """The mean (..., D) of some joints and the lowest of their scores (...).

    Raises:
        ValueError: no numbers, or one that is no joint.
    """
    num_joints = joints.score.shape[-1]
    chosen = joint_numbers("root", numbers, num_joints)
    if not chosen:
        raise ValueError(f"root must be one or more joints, got {shown(numbers)}")
    score = joints.score[..., chosen].min(axis=-1)
    mean = joints.position[..., chosen, :].mean(axis=-2, dtype=np.float32)
    return Known(np.where(score[..., None] > 0, mean, 0).astype(np.float32), score)
