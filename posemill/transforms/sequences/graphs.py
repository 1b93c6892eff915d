"""Sequences for graph networks: placed, scaled, and in their layout.

`normalise_2d` and `normalise_3d` bring sequences into a range that does not
depend on camera and place; `graph_sequence` lays them out as ST-GCN takes them
(Yan et al., Spatial Temporal Graph Convolutional Networks, AAAI 2018).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.schema import Float32, Skeleton
from posemill.transforms.arguments import counts
from posemill.transforms.sequences.known import Known, check_num_joints, known, middle
from posemill.transforms.sequences.vpn import vpn_root

SHOULDERS = ("left_shoulder", "right_shoulder")
HIPS = ("left_hip", "right_hip")


def normalise_2d(xy_px: Float32, score: Float32, width: int, height: int) -> Float32:
    """Pixels (..., K, 2) as fractions of the frame, which covers [-1, 1] in x and in y.

        x' = (2 x + 1) / width - 1

    Pixel centres lie on integers, so a flip maps x' to -x'. Missing joints are 0.

    Raises:
        ValueError: shapes that do not fit, or a frame without pixels.
    """
    width, height = counts(width=width, height=height)
    joints = known("xy_px", xy_px, score, "..., K")
    if joints.position.shape[-1] != 2:
        raise ValueError(f"xy_px must be (..., K, 2), got {joints.position.shape}")
    size = np.array([width, height], np.float32)
    return _where(joints, (2 * joints.position + 1) / size - 1)


def normalise_3d(xyz_m: Float32, score: Float32, skeleton: Skeleton) -> Float32:
    """`centre` on the root (`vpn.vpn_root`), then `scale` to the length of the torso.

    Args:
        xyz_m: (T, M, K, 3).
        score: (T, M, K).

    Raises:
        ValueError: shapes that do not fit, or a skeleton without shoulders or hips.
        InputError: a skeleton without a root.
    """
    people = known("xyz_m", xyz_m, score, "T, M, K")
    check_num_joints("xyz_m", people.position, skeleton)
    if people.position.shape[-1] != 3:
        raise ValueError(f"xyz_m must be (T, M, K, 3), got {people.position.shape}")
    centred = centre(people.position, people.score, vpn_root(skeleton))
    return scale(centred, people.score, skeleton)


def centre(positions: Float32, score: Float32, root: Sequence[int]) -> Float32:
    """Positions (T, M, K, D) around one point, the same for all people and frames.

    It is the root of the first person in the first frame that has it; of the
    next person, where the first never has it. So people keep their distances
    and paths. Without any root nothing moves.

    Args:
        positions: (T, M, K, 2 or 3).
        score: (T, M, K).
        root: joint numbers whose mean is the root, see `vpn.vpn_root`.

    Raises:
        ValueError: shapes that do not fit, or a root that is no joint.
    """
    people = known("positions", positions, score, "T, M, K")
    at = middle(people, root)
    found = np.argwhere(at.score.T > 0)  # rows (person, frame), in that order
    if len(found) == 0:
        return people.position
    person, frame = found[0]
    return _where(people, people.position - at.position[frame, person])


def scale(positions: Float32, score: Float32, skeleton: Skeleton) -> Float32:
    """Positions (T, M, K, D) in units of the torso of the first person who shows it.

        s = median over frames of |middle of the shoulders - middle of the hips|

    The median does not follow single wrong frames. Where nobody shows both
    shoulders and hips, or they coincide, the unit stays as it is.

    Args:
        positions: (T, M, K, 2 or 3).
        score: (T, M, K).

    Raises:
        ValueError: shapes that do not fit, or a skeleton without shoulders or hips.
    """
    people = known("positions", positions, score, "T, M, K")
    check_num_joints("positions", people.position, skeleton)
    top, bottom = (middle(people, _joints(skeleton, names)) for names in (SHOULDERS, HIPS))
    length = np.linalg.norm(top.position - bottom.position, axis=-1)  # (T, M)
    measured = (top.score > 0) & (bottom.score > 0) & (length > 0)
    persons = np.flatnonzero(measured.any(axis=0))
    if len(persons) == 0:
        return people.position
    first = persons[0]
    return people.position / np.float32(np.median(length[measured[:, first], first]))


def graph_sequence(positions: Float32, score: Float32) -> Float32:
    """The tensor (3, T, K, M) of ST-GCN: x, y and score in 2-D, or x, y and z in 3-D.

    Args:
        positions: (T, M, K, 2 or 3), normalised.
        score: (T, M, K).

    Raises:
        ValueError: shapes that do not fit.
    """
    people = known("positions", positions, score, "T, M, K")
    channels = [people.position, people.score[..., None]]
    stacked = np.concatenate(channels, axis=-1)[..., :3]
    return np.ascontiguousarray(stacked.transpose(3, 0, 2, 1))


def _joints(skeleton: Skeleton, names: Sequence[str]) -> list[int]:
    if not set(names) <= set(skeleton.keypoints):
        raise ValueError(f"skeleton {skeleton.name!r} must have {' and '.join(names)} to be scaled")
    return [skeleton.keypoints.index(name) for name in names]


def _where(joints: Known, values: Float32) -> Float32:
    return np.where(joints.there[..., None], values, 0).astype(np.float32, copy=False)
