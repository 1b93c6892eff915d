"""Poses of one skeleton as poses of another, where that has a meaning.

A joint of the target is, in this order,

1. the source's joint of the same name,
2. the mean of joints that the source has, by the tables below.

Its score is the lowest of those it is made of, so it is missing (score 0)
where any of them is. Nothing else is guessed: the middle of the head is not
the nose, a hand is not a wrist, and a joint that no rule makes is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from posemill.errors import InputError
from posemill.schema import Float32, PoseSequence, Skeleton
from posemill.transforms.skeletons.parnet import PARNET_14
from posemill.transforms.skeletons.registry import SKELETONS, get_skeleton

_HIPS = ("left_hip", "right_hip")
DERIVED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": _HIPS, "spine_base": _HIPS}
)
"""Joints that are the mean of others, in every target."""

DERIVED_FOR: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {PARNET_14.name: MappingProxyType({"head": ("nose",)})}
)
"""By target: PARNet calls OpenPose's nose the head."""

# For the same reason a PARNet pose's head may be a nose: it is nobody else's head.
_UNSURE = MappingProxyType({PARNET_14.name: frozenset({"head"})})

Sources = tuple[tuple[int, ...], ...]  # of each joint of the target, joints of the source


def convert(pose: PoseSequence, target: Skeleton) -> PoseSequence:
    """The same people with the joints of `target`, in pixels and, where there, in metres.

    Returns:
        A new sequence that shares what does not change, with zeros for the
        positions of missing joints; `pose` itself where it is of `target` already.

    Raises:
        InputError: a skeleton of which nothing is known, or joints that its
            joints cannot make.
        ValueError: poses of another number of joints than their skeleton has.
    """
    if pose.skeleton == target.name:
        return pose
    source = get_skeleton(pose.skeleton)
    if pose.num_keypoints != source.num_keypoints:
        raise ValueError(
            f"poses of skeleton {source.name!r} must have {source.num_keypoints} joints, "
            f"got {pose.num_keypoints}"
        )
    sources = _sources(source, target)
    score = _lowest(pose.score, sources)
    return replace(
        pose,
        skeleton=target.name,
        xy_px=_mean(pose.xy_px, score, sources),
        score=score,
        xyz_m=None if pose.xyz_m is None else _mean(pose.xyz_m, score, sources),
    )


def convertible(source: Skeleton, target: Skeleton) -> bool:
    """Whether `convert` makes poses of `target` from poses of `source`."""
    return source.name == target.name or not _cannot_be_made(source, target)


def require_convertible(source: Skeleton, target: Skeleton) -> None:
    """Raise InputError, with the joints that nothing makes, unless they are `convertible`."""
    if convertible(source, target):
        return
    others = [other.name for other in SKELETONS.values() if other.name != source.name]
    reachable = [name for name in others if convertible(source, get_skeleton(name))]
    raise InputError(
        f"poses of skeleton {source.name!r} cannot become {target.name!r}: nothing in them makes "
        f"{', '.join(_cannot_be_made(source, target))}; they can become: "
        f"{', '.join(reachable) or 'no other'}"
    )


def _sources(source: Skeleton, target: Skeleton) -> Sources:
    """For each joint of the target the numbers of the source's joints that make it."""
    require_convertible(source, target)
    return tuple(_ingredients(source, target, joint) for joint in target.keypoints)


def _cannot_be_made(source: Skeleton, target: Skeleton) -> list[str]:
    return [joint for joint in target.keypoints if not _ingredients(source, target, joint)]


def _ingredients(source: Skeleton, target: Skeleton, joint: str) -> tuple[int, ...]:
    """Numbers of the source's joints whose mean is `joint`; none where it cannot be made."""
    known = {name: number for number, name in enumerate(source.keypoints)}
    if joint in known and joint not in _UNSURE.get(source.name, ()):
        return (known[joint],)
    names = DERIVED_FOR.get(target.name, {}).get(joint) or DERIVED.get(joint, ())
    return tuple(known[name] for name in names) if known.keys() >= set(names) else ()


def _lowest(score: Float32, sources: Sources) -> Float32:
    lowest = [score[:, joints].min(axis=1) for joints in sources]
    return np.stack(lowest, axis=1).astype(np.float32)


def _mean(position: Float32, score: Float32, sources: Sources) -> Float32:
    """Means (P, K', D) of positions (P, K, D); 0 where a joint (P, K') is missing."""
    made = np.zeros((*score.shape, position.shape[-1]), np.float32)
    for number, joints in enumerate(sources):
        there = score[:, number] > 0
        made[there, number] = position[there][:, joints].mean(axis=1)
    return made
