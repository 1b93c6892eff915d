"""Maps in the mirror; for joints see `geometry.flip_joints`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from posemill.transforms.arguments import checked_limb_mirror, checked_mirror, real_array
from posemill.transforms.augment.axes import check_axis, checked_maps, joints_first
from posemill.transforms.compiled import compiled

Scalar = TypeVar("Scalar", bound=np.generic)


def flip_maps(
    maps: npt.NDArray[Scalar], mirror: Sequence[int], *, joint_axis: int = 0
) -> npt.NDArray[Scalar]:
    """The maps seen in a mirror: columns reversed, left and right joints (or limbs) swapped.

    Raises:
        ValueError: a mirror of another number of joints, or an axis that there is not.
    """
    maps = checked_maps(maps)
    order = checked_mirror(mirror, len(joints_first(maps, joint_axis)))
    return _mirrored(maps, order, joint_axis)


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
    fields = real_array("fields", fields)
    check_axis("axis", axis, fields)
    num_limbs, left_over = divmod(fields.shape[axis], 2)
    if left_over:
        raise ValueError(f"fields must have x and y of limbs on axis {axis}, got {fields.shape}")
    limbs, signs = checked_limb_mirror(mirror, num_limbs)
    if fields.dtype.kind not in "fi":
        raise ValueError(f"fields must be of a signed dtype, got {fields.dtype}")
    swapped = [2 * limb + component for limb in limbs for component in (0, 1)]
    factors = np.array([(-sign, sign) for sign in signs], fields.dtype).reshape(-1)
    shape = [1] * fields.ndim
    shape[axis] = len(factors)
    mirrored = _mirrored(fields, swapped, axis)
    turned: npt.NDArray[Scalar] = np.multiply(mirrored, factors.reshape(shape), out=mirrored)
    return turned


def _mirrored(maps: npt.NDArray[Scalar], order: Sequence[int], axis: int) -> npt.NDArray[Scalar]:
    """Maps (..., H, W) in the order `order` along `axis`, columns from right to left."""
    bits = np.ascontiguousarray(maps).view(f"u{maps.itemsize}")  # numba knows no float16
    out = np.empty_like(bits)
    if maps.size:
        before = math.prod(maps.shape[: axis % maps.ndim])
        shape = before, len(order), maps.size // (before * len(order))
        width = maps.shape[-1]
        _mirror(bits.reshape(shape), np.asarray(order, np.int64), width, out.reshape(shape))
    return out.view(maps.dtype)


@compiled
def _mirror(source, order, width, out):  # type: ignore[no-untyped-def]
    """Fill `out` (A, K, B W) from `source`: maps in the order `order`, every row turned around.

    Indices without a sign, of which none counts from the end, are what makes
    it as fast as a copy; slices of numpy take twenty times as long.
    """
    width = np.uint64(width)
    for a in range(source.shape[0]):
        for k in range(len(order)):
            columns, mirrored = source[a, order[k]], out[a, k]
            for row in range(len(columns) // width):
                first = np.uint64(row) * width
                last = first + width - np.uint64(1)
                for x in range(width):
                    mirrored[first + x] = columns[last - x]
