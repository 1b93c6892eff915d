"""VPN's poses: one person's joints around the root of the first frame.

The paper (sections 3.2 and 4.1) says which poses; its published code, around what.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.errors import InputError
from posemill.schema import Float32, Skeleton
from posemill.transforms.sequences.known import Known, known, middle


def vpn_root(skeleton: Skeleton) -> tuple[int, ...]:
    """The joints whose middle is the root: the spine's middle, else the hips' middle.

    Raises:
        InputError: the skeleton has neither.
    """
    for names in (("spine_mid",), ("mid_hip",), ("left_hip", "right_hip")):
        if set(names) <= set(skeleton.keypoints):
            return tuple(skeleton.keypoints.index(name) for name in names)
    raise InputError(
        f"skeleton {skeleton.name!r} has no root for VPN: it needs spine_mid, mid_hip, or "
        f"left_hip and right_hip, and has {', '.join(skeleton.keypoints)}"
    )


def vpn_poses(positions: Float32, score: Float32, root: Sequence[int]) -> Float32:
    """The pose tensor P of one person, (3, K, t_p): x, y, z minus the first frame's root.

        P[:, k, t] = p[t, k] - r[0]

    2-D poses have z = 0. Missing joints are 0, the place of the first root: it
    lies among the others, while (0, 0, 0) before the subtraction would not.

    Where the first frame lacks the root, the first frame that has it counts;
    where none has, the mean of the detected joints of the first frame that has any
    stands for it (people are often cut off at the hips).

    Args:
        positions: (t_p, K, 3) metres or (t_p, K, 2) pixels, in the frames sampled for the clip;
            "first" is the first of them.
        score: (t_p, K).
        root: joint numbers whose mean is the root, see `vpn_root`.

    Raises:
        ValueError: shapes that do not fit, or a root that is no joint.
    """
    person = known("positions", positions, score, "T, K")
    moved = np.where(person.there[..., None], person.position - _origin(person, root), 0)
    poses = np.zeros((3, *person.score.shape[::-1]), np.float32)
    poses[: person.position.shape[-1]] = moved.transpose(2, 1, 0)
    return poses


def _origin(person: Known, root: Sequence[int]) -> Float32:
    """(D,): the root where it is first seen, else what stands for it, else 0."""
    at = middle(person, root)
    frames = np.flatnonzero(at.score > 0)
    if len(frames):
        return np.asarray(at.position[frames[0]])
    frames = np.flatnonzero(person.there.any(axis=1))
    if len(frames):
        first = frames[0]
        return np.asarray(person.position[first][person.there[first]].mean(axis=0))
    return np.zeros(person.position.shape[-1], np.float32)
