"""Random changes of maps (K, ..., H, W): one draw for all channels, frames and views of a clip.

Where the joints are not on the first axis, as in PA3D's cubes (time, keypoint,
y, x), `joint_axis` says on which they are.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from posemill.transforms.affine import Point, after, move, scale, turn
from posemill.transforms.arguments import whole_px
from posemill.transforms.augment.axes import checked_maps, joints_first
from posemill.transforms.augment.draws import (
    Groups,
    check_degrees,
    checked_groups,
    each_alone,
    random_angle,
    random_factor,
    random_losses,
    random_shift,
)
from posemill.transforms.resample import warp_maps

Scalar = TypeVar("Scalar", bound=np.generic)


def pose_aware_jitter(
    maps: npt.NDArray[Scalar],
    groups: Groups,
    rng: np.random.Generator,
    *,
    beta: int,
    gamma: int,
    joint_axis: int = 0,
) -> npt.NDArray[Scalar]:
    """JMRN's pose-aware augmentation of maps (K, ..., H, W), section 3.2 and its code.

    First everything moves by {1..beta} px in y and in x, each with a random
    sign; then every group of joints by {1..gamma} px alike. Zeros come in at
    the borders. A beta or gamma of 0 leaves its step out.

    Args:
        maps: normalised, before any flip.
        groups: joint numbers, see `skeletons.jitter_groups`; joints in none stay.
        rng: the only source of randomness.
        beta: greatest shift of all joints, whole px.
        gamma: greatest shift of each group, whole px.
        joint_axis: of `maps`, before H and W.

    Raises:
        ValueError: a beta or gamma that is negative or no integer, or joints
            that the axis does not have.
    """
    maps = checked_maps(maps)
    beta, gamma = whole_px(beta=beta, gamma=gamma)
    members = checked_groups(groups, len(joints_first(maps, joint_axis)))
    moved = _shift(maps, *random_shift(beta, rng)) if beta else maps.copy()
    if gamma:
        by_joint = joints_first(moved, joint_axis)
        for joints in members:
            by_joint[joints] = _shift(by_joint[joints], *random_shift(gamma, rng))
    return moved


def independent_jitter(
    maps: npt.NDArray[Scalar], rng: np.random.Generator, *, pixels: int, joint_axis: int = 0
) -> npt.NDArray[Scalar]:
    """Every joint of maps (K, ..., H, W) by {1..pixels} px of its own.

    What PoTion tried and JMRN compares with, supplement, section 11. Errors as
    for `pose_aware_jitter`.
    """
    maps = checked_maps(maps)
    whole_px(pixels=pixels)
    groups = each_alone(len(joints_first(maps, joint_axis)))
    return pose_aware_jitter(maps, groups, rng, beta=0, gamma=pixels, joint_axis=joint_axis)


def pose_aware_rotation(
    maps: npt.NDArray[Scalar],
    groups: Groups,
    rng: np.random.Generator,
    *,
    beta_degrees: float,
    gamma_degrees: float,
    joint_axis: int = 0,
) -> npt.NDArray[Scalar]:
    """JMRN's pose-aware rotation of maps (K, ..., H, W), supplement, section 11.

    Everything turns about the centre of the maps by an angle uniform in
    [-beta, beta]; then every group of joints by one in [-gamma, gamma], about
    its own centre of mass (about what the paper leaves open), so that limbs
    stay on the body. Both turns are made in one interpolation, with zeros from
    beyond the borders. A beta or gamma of 0 leaves its step out.

    Args:
        maps: uint8, float16 or float32.
        groups: joint numbers, see `skeletons.jitter_groups`; joints in none
            feel the first step only.
        rng: the only source of randomness.
        beta_degrees: greatest angle of everything.
        gamma_degrees: greatest angle of each group.
        joint_axis: of `maps`, before H and W.

    Raises:
        ValueError: a negative beta or gamma, or joints that the axis does not have.
    """
    maps = checked_maps(maps)
    check_degrees(beta_degrees=beta_degrees, gamma_degrees=gamma_degrees)
    by_joint = joints_first(maps, joint_axis)
    members = checked_groups(groups, len(by_joint))
    whole = turn(_centre(maps), random_angle(beta_degrees, rng))
    moved = warp_maps(maps, whole) if beta_degrees else maps.copy()
    if gamma_degrees:
        moved_joints = joints_first(moved, joint_axis)
        for joints in members:
            angle, content = random_angle(gamma_degrees, rng), by_joint[joints]
            x, y = move(whole, _centre_of_mass(content))
            moved_joints[joints] = warp_maps(content, after(turn((x, y), angle), whole))
    return moved


def random_scale(
    maps: npt.NDArray[Scalar], rng: np.random.Generator, *, limits: tuple[float, float]
) -> npt.NDArray[Scalar]:
    """Maps (..., H, W) larger or smaller about their centre, by a factor uniform in `limits`.

    Raises:
        ValueError: limits that do not rise or are not above 0.
    """
    maps = checked_maps(maps)
    return warp_maps(maps, scale(_centre(maps), random_factor(limits, rng)))


def drop_joints(
    maps: npt.NDArray[Scalar],
    rng: np.random.Generator,
    *,
    probability: float,
    joint_axis: int = 0,
) -> npt.NDArray[Scalar]:
    """Maps (K, ..., H, W) with those of each joint, with `probability`, all zeros.

    Raises:
        ValueError: a probability outside [0, 1], or an axis that there is not.
    """
    kept = checked_maps(maps).copy()
    by_joint = joints_first(kept, joint_axis)
    by_joint[random_losses(len(by_joint), probability, rng)] = 0
    return kept


def _shift(maps: npt.NDArray[Scalar], down: int, right: int) -> npt.NDArray[Scalar]:
    """Content moved, zeros behind it."""
    out = np.zeros_like(maps)
    height, width = maps.shape[-2:]
    if abs(down) < height and abs(right) < width:
        to = _overlap(down, height), _overlap(right, width)
        source = _overlap(-down, height), _overlap(-right, width)
        out[..., to[0], to[1]] = maps[..., source[0], source[1]]
    return out


def _overlap(step: int, size: int) -> slice:
    return slice(max(step, 0), size + min(step, 0))


def _centre(maps: npt.NDArray[Scalar]) -> Point:
    height, width = maps.shape[-2:]
    return (width - 1) / 2.0, (height - 1) / 2.0


def _centre_of_mass(maps: npt.NDArray[Scalar]) -> npt.NDArray[np.float64]:
    """(x, y), or the middle of maps that are all zeros."""
    height, width = maps.shape[-2:]
    plane = maps.sum(axis=tuple(range(maps.ndim - 2)), dtype=np.float64)
    mass = plane.sum()
    if not mass > 0.0:
        return np.array(_centre(maps))
    x, y = plane.sum(axis=0) @ np.arange(width), plane.sum(axis=1) @ np.arange(height)
    centre: npt.NDArray[np.float64] = np.array([x, y]) / mass
    return centre
