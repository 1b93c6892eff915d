"""A skeleton from its joint names: the names decide who mirrors whom and who moves together.

Joints of one meaning have one name in every skeleton (`left_shoulder`, `neck`,
`mid_hip`, ...), so that `conversions` can match by name. `left` and `right`
are the person's own. A name that a data set alone uses stays as that data set
has it (`spine_mid`, `belly`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType

from posemill.schema import Part, Skeleton

PART_NAMES = ("head", "torso", "left_arm", "right_arm", "left_leg", "right_leg")

_KINDS = MappingProxyType(
    {
        "head": ("nose", "eye", "eye_inner", "eye_outer", "ear", "mouth", "head"),
        "torso": (
            "neck",
            "hip",
            "mid_hip",
            "belly",
            "hip_center",
            "shoulder_center",
            "spine_base",
            "spine_mid",
            "spine_shoulder",
        ),
        "arm": ("shoulder", "elbow", "wrist", "hand", "hand_tip", "thumb", "index", "pinky"),
        "leg": ("knee", "ankle", "foot", "heel", "big_toe", "small_toe", "foot_index"),
    }
)
_PART_OF_KIND = {kind: part for part, kinds in _KINDS.items() for kind in kinds}


def make_skeleton(
    name: str, keypoints: Sequence[str], limbs: Iterable[tuple[int, int]]
) -> Skeleton:
    """The skeleton with its mirror and parts, which follow from the joints' names.

    Args:
        name: of the skeleton.
        keypoints: joint names in order, each `left_...`, `right_...` or on the
            body's middle.
        limbs: pairs (a, b) of joint numbers, a nearer to the trunk where that
            has a meaning.

    Raises:
        ValueError: a joint of one side without its partner, a joint name that
            belongs to no part of the body, or what `Skeleton` refuses.
    """
    return Skeleton(
        name=name,
        keypoints=tuple(keypoints),
        limbs=tuple(limbs),
        mirror=tuple(_partner(name, keypoints, joint) for joint in keypoints),
        parts=_parts(name, keypoints),
    )


def mirror_name(joint: str) -> str:
    """What a joint of that name is called in a mirror: `left_eye` becomes `right_eye`."""
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in joint.split("_"))


def _partner(name: str, keypoints: Sequence[str], joint: str) -> int:
    partner = mirror_name(joint)
    if partner not in keypoints:
        raise ValueError(f"skeleton {name}: joint {joint!r} has no partner {partner!r}")
    return keypoints.index(partner)


def _parts(name: str, keypoints: Sequence[str]) -> tuple[Part, ...]:
    owners = [_part_of(name, joint) for joint in keypoints]
    members = {
        part: tuple(number for number, owner in enumerate(owners) if owner == part)
        for part in PART_NAMES
    }
    return tuple(Part(part, joints) for part, joints in members.items() if joints)


def _part_of(name: str, joint: str) -> str:
    words = joint.split("_")
    side = next((word for word in words if word in ("left", "right")), None)
    kind = "_".join(word for word in words if word != side)
    part = _PART_OF_KIND.get(kind)
    if part is None or (side is None and part in ("arm", "leg")):
        raise ValueError(
            f"skeleton {name}: joint {joint!r} belongs to no part of the body; the names of "
            f"joints are: {', '.join(_PART_OF_KIND)}, with left_ or right_ before those of arms "
            f"and legs"
        )
    return f"{side}_{part}" if part in ("arm", "leg") else part
