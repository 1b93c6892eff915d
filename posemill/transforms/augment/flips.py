"""Maps in the mirror; for joints see `geometry.flip_joints`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)


def flip_maps(
    maps: npt.NDArray[Scalar], mirror: Sequence[int], *, joint_axis: int = 0
) -> npt.NDArray[Scalar]:
    """The maps seen in a mirror: columns reversed, left and right joints (or limbs) swapped.

    Raises:
        ValueError: a mirror of another number of joints.
    """
    _check_order("mirror", mirror, maps.shape[joint_axis])
    return np.ascontiguousarray(np.take(maps, list(mirror), axis=joint_axis)[..., ::-1])


def flip_part_fields(
    fields: npt.NDArray[Scalar], mirror: Sequence[tuple[int, int]], *, axis: int = 0
) -> npt.NDArray[Scalar]:
    """The part fields of the mirrored people: limbs swapped, columns reversed, x negated.

    A limb's vectors run from its first joint to its second. Where its mirror
    image runs the other way, they turn around as well.

    Args:
        fields: (..., 2 L, ..., H, W), floating or signed: along `axis` x of
            limb l at 2 l and y at 2 l + 1.
        mirror: for each limb its mirror image and 1, or -1 where that runs the
            other way, see `skeletons.limb_mirror`.
        axis: of the 2 L components.

    Raises:
        ValueError: unsigned fields, or a mirror that is not of L limbs.
    """
    limbs, signs = [limb for limb, _ in mirror], [sign for _, sign in mirror]
    if fields.shape[axis] != 2 * len(limbs):
        raise ValueError(
            f"fields must have x and y of {len(limbs)} limbs on axis {axis}, got {fields.shape}"
        )
    _check_order("mirror", limbs, len(limbs))
    if not set(signs) <= {-1, 1}:
        raise ValueError(f"mirror must have signs of 1 or -1, got {signs}")
    if fields.dtype.kind not in "fi":
        raise ValueError(f"fields must be of a signed dtype, got {fields.dtype}")
    swapped = [2 * limb + component for limb in limbs for component in (0, 1)]
    factors = np.array([(-sign, sign) for sign in signs], fields.dtype).reshape(-1)
    shape = [1] * fields.ndim
    shape[axis] = len(factors)
    mirrored = np.take(fields, swapped, axis=axis)[..., ::-1]
    return np.ascontiguousarray(mirrored * factors.reshape(shape))


def _check_order(name: str, order: Sequence[int], count: int) -> None:
    if sorted(order) != list(range(count)):
        raise ValueError(f"{name} must hold each of 0..{count - 1} once, got {tuple(order)}")
