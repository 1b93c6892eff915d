"""What moves together, and what becomes of limbs in a mirror."""

from __future__ import annotations

from typing import NamedTuple

from posemill.errors import InputError
from posemill.schema import Skeleton

TORSO = "torso"
_LIMB_JOINTS = frozenset({"elbow", "wrist", "knee", "ankle"})


class MirroredLimb(NamedTuple):
    """What a limb becomes when the picture is flipped and left and right joints swap names."""

    limb: int
    """The number of that limb; applied twice it is the first one again."""
    sign: int
    """-1 where it then points the other way (its ends meet in reverse order), else 1."""


def limb_mirror(skeleton: Skeleton) -> tuple[MirroredLimb, ...]:
    """For each limb (a, b), the limb between the mirrors of a and b.

    A limb map moves to channel `limb`, whichever way the limb points. A part
    field (x, y) moves there too, and as (-sign x, sign y): the flip turns x
    around, and a reversed limb both.

    Raises:
        ValueError: a limb whose mirror is no limb, or two limbs between the
            same joints.
    """
    numbers: dict[tuple[int, int], MirroredLimb] = {}
    for number, (a, b) in enumerate(skeleton.limbs):
        if (a, b) in numbers:
            raise ValueError(
                f"skeleton {skeleton.name}: limbs {numbers[a, b].limb} and {number} both join "
                f"{skeleton.keypoints[a]} and {skeleton.keypoints[b]}"
            )
        numbers[a, b], numbers[b, a] = MirroredLimb(number, 1), MirroredLimb(number, -1)
    return tuple(_mirrored(skeleton, numbers, limb) for limb in skeleton.limbs)


def jitter_groups(skeleton: Skeleton) -> tuple[tuple[int, ...], ...]:
    """The joint numbers that are jittered together: all parts but the torso, which stays.

    JMRN, section 3.2: head, left arm, right arm, left leg, right leg.

    Raises:
        InputError: the skeleton has no parts.
    """
    if not skeleton.parts:
        raise InputError(
            f"no joint groups to jitter are known for skeleton {skeleton.name!r}, which names no "
            f"parts; name them, or switch the jitter off with gamma 0"
        )
    return tuple(part.joints for part in skeleton.parts if part.name != TORSO)


def limb_joints(skeleton: Skeleton) -> tuple[int, ...]:
    """The numbers of the elbows, wrists, knees and ankles, by their names; none where it has none.

    Of these eight PoseConv3D's test of robustness drops one, table 4.
    """
    return tuple(
        number
        for number, name in enumerate(skeleton.keypoints)
        if any(part in _LIMB_JOINTS for part in name.split("_"))
    )


def _mirrored(
    skeleton: Skeleton, numbers: dict[tuple[int, int], MirroredLimb], limb: tuple[int, int]
) -> MirroredLimb:
    a, b = (skeleton.mirror[joint] for joint in limb)
    if (a, b) not in numbers:
        names = skeleton.keypoints
        raise ValueError(
            f"skeleton {skeleton.name}: limb {names[limb[0]]} - {names[limb[1]]} has no mirror "
            f"image: {names[a]} - {names[b]} is not a limb"
        )
    return numbers[a, b]
