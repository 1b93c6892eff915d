"""Bones and motion, the two other streams of graph networks.

Bones: Shi et al., Two-Stream Adaptive Graph Convolutional Networks for
Skeleton-Based Action Recognition, CVPR 2019. Motion: the same authors'
Multi-Stream Adaptive Graph Convolutional Networks, TIP 2020.
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Skeleton
from posemill.transforms.sequences.known import Known, check_num_joints, known


def bones(positions: Float32, score: Float32, skeleton: Skeleton) -> tuple[Float32, Float32]:
    """The vector b - a of each limb (a, b), (..., L, D), and the lower of its ends' scores.

    A limb with a missing end is missing: zeros and a score of 0.

    Args:
        positions: (..., K, 2 or 3).
        score: (..., K).
        skeleton: its limbs decide number, order and direction.

    Raises:
        ValueError: shapes that do not fit each other or the skeleton.
    """
    joints = known("positions", positions, score, "..., K")
    check_num_joints("positions", joints.position, skeleton)
    start, end = np.array(skeleton.limbs, np.intp).reshape(-1, 2).T
    return _difference(
        Known(joints.position[..., start, :], joints.score[..., start]),
        Known(joints.position[..., end, :], joints.score[..., end]),
    )


def motion(positions: Float32, score: Float32) -> tuple[Float32, Float32]:
    """The displacement to the next frame, (T, ..., K, D), and the lower of the two scores.

        v[t] = p[t + 1] - p[t],  v[T - 1] = 0

    The last frame has no next one: it is missing, and the shape stays. A joint
    that is missing in either frame does not move: zeros and a score of 0.

    Args:
        positions: (T, ..., K, 2 or 3).
        score: (T, ..., K).

    Raises:
        ValueError: shapes that do not fit.
    """
    joints = known("positions", positions, score, "T, ..., K")
    step, lower = _difference(
        Known(joints.position[:-1], joints.score[:-1]),
        Known(joints.position[1:], joints.score[1:]),
    )
    moved, moved_score = np.zeros_like(joints.position), np.zeros_like(joints.score)
    moved[:-1], moved_score[:-1] = step, lower
    return moved, moved_score


def _difference(start: Known, end: Known) -> tuple[Float32, Float32]:
    score = np.minimum(start.score, end.score)
    vector = np.where(score[..., None] > 0, end.position - start.position, 0)
    return vector.astype(np.float32, copy=False), score
