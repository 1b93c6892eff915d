"""Random changes of maps at load time; every draw comes from the generator given.

Maps are (..., H, W); arguments are never changed, results are new arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Skeleton
from posemill.transforms.skeletons import COCO_17

Scalar = TypeVar("Scalar", bound=np.generic)

# Joints that JMRN jitters together, section 3.2; the torso (hips, neck) stays.
JITTER_GROUPS = MappingProxyType(
    {
        COCO_17.name: (
            ("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
            ("left_shoulder", "left_elbow", "left_wrist"),
            ("right_shoulder", "right_elbow", "right_wrist"),
            ("left_knee", "left_ankle"),
            ("right_knee", "right_ankle"),
        )
    }
)


def jitter_groups(skeleton: Skeleton) -> tuple[tuple[int, ...], ...]:
    """The groups of joint numbers that `pose_aware_jitter` moves together.

    Raises:
        InputError: no groups are known for the skeleton.
    """
    if skeleton.name not in JITTER_GROUPS:
        raise InputError(
            f"no joint groups to jitter are known for skeleton {skeleton.name!r}; "
            f"there are for: {', '.join(JITTER_GROUPS)}; or switch the jitter off with gamma 0"
        )
    return tuple(
        tuple(skeleton.keypoints.index(joint) for joint in group)
        for group in JITTER_GROUPS[skeleton.name]
    )


def random_crop(
    maps: npt.NDArray[Scalar],
    valid_hw: tuple[int, int],
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> npt.NDArray[Scalar]:
    """A window (..., *size_hw) at random inside the top left `valid_hw` of `maps`.

    Where the valid part is smaller than the window, the window starts at 0 and
    zeros fill the rest.
    """
    room = [max(valid - size, 0) for valid, size in zip(valid_hw, size_hw, strict=True)]
    top, left = (int(rng.integers(space + 1)) for space in room)
    return _window(maps, top, left, valid_hw, size_hw)


def centre_crop(
    maps: npt.NDArray[Scalar], valid_hw: tuple[int, int], size_hw: tuple[int, int]
) -> npt.NDArray[Scalar]:
    """As `random_crop`, from the middle of the valid part."""
    top, left = (max(valid - size, 0) // 2 for valid, size in zip(valid_hw, size_hw, strict=True))
    return _window(maps, top, left, valid_hw, size_hw)


def flip_maps(
    maps: npt.NDArray[Scalar], mirror: Sequence[int], *, joint_axis: int = 0
) -> npt.NDArray[Scalar]:
    """The maps seen in a mirror: columns reversed, left and right joints swapped."""
    return np.ascontiguousarray(np.take(maps, list(mirror), axis=joint_axis)[..., ::-1])


def pose_aware_jitter(
    maps: npt.NDArray[Scalar],
    groups: Sequence[Sequence[int]],
    rng: np.random.Generator,
    *,
    beta: int,
    gamma: int,
) -> npt.NDArray[Scalar]:
    """JMRN's pose-aware augmentation of maps (K, C, H, W), section 3.2 and its code.

    First everything moves by {1..beta} px in y and in x, each with a random
    sign; then every group of joints by {1..gamma} px alike. Zeros come in at
    the borders. A beta or gamma of 0 leaves its step out.

    Args:
        maps: normalised, before any flip.
        groups: joint numbers, see `jitter_groups`; joints in none stay.

    Raises:
        ValueError: a negative beta or gamma.
    """
    if beta < 0 or gamma < 0:
        raise ValueError(f"beta and gamma must be 0 or more px, got {beta} and {gamma}")
    moved = _shift(maps, *_random_shift(beta, rng)) if beta else maps.copy()
    if gamma:
        for group in groups:
            joints = list(group)
            moved[joints] = _shift(moved[joints], *_random_shift(gamma, rng))
    return moved


def _window(
    maps: npt.NDArray[Scalar],
    top: int,
    left: int,
    valid_hw: tuple[int, int],
    size_hw: tuple[int, int],
) -> npt.NDArray[Scalar]:
    out = np.zeros((*maps.shape[:-2], *size_hw), maps.dtype)
    height = min(size_hw[0], valid_hw[0] - top)
    width = min(size_hw[1], valid_hw[1] - left)
    out[..., :height, :width] = maps[..., top : top + height, left : left + width]
    return out


def _random_shift(greatest: int, rng: np.random.Generator) -> Iterator[int]:
    sizes = rng.integers(1, greatest + 1, size=2)
    signs = rng.choice(np.array([-1, 1]), size=2)
    return (int(step) for step in sizes * signs)


def _shift(maps: npt.NDArray[Scalar], dy: int, dx: int) -> npt.NDArray[Scalar]:
    """Content moved down by `dy` and right by `dx`, zeros behind it."""
    out = np.zeros_like(maps)
    height, width = maps.shape[-2:]
    if abs(dy) < height and abs(dx) < width:
        out[..., max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = maps[
            ..., max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)
        ]
    return out
