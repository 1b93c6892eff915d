"""Arguments as the functions of transforms need them; each error names one and its value."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from numbers import Real
from typing import Any, SupportsIndex, TypeVar, overload

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32

Scalar = TypeVar("Scalar", bound=np.generic)

_SHOWN = 80  # characters of a value in a message


@overload
def real_array(name: str, values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]: ...


@overload
def real_array(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]: ...


def real_array(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """`values` as an array, as nested lists of real numbers are made one.

    Raises:
        ValueError: they are no array of real numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} must be an array of real numbers, got {shown(values)}: {error}"
        ) from error
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers, got {array.dtype}")
    return array


def floating(name: str, values: Float32) -> Float32:
    """As `real_array`, and integers as float32."""
    array = real_array(name, values)
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def real_number(name: str, value: object) -> float:
    """`value` as a float; NaN and infinity are for the caller to judge.

    Raises:
        ValueError: it is no real number.
    """
    if not isinstance(value, Real):
        raise ValueError(f"{name} must be a number, got {shown(value)}")
    return float(value)


def positive(name: str, value: object) -> float:
    """`value` as a float.

    Raises:
        ValueError: it is no finite number above 0.
    """
    number = real_number(name, value)
    if not 0.0 < number < math.inf:
        raise ValueError(f"{name} must be a number above 0, got {value}")
    return number


def rising_range(
    name: str, limits: tuple[float, float], *, greatest: float = math.inf
) -> tuple[float, float]:
    """Two finite numbers, 0 < low <= high <= `greatest`.

    Raises:
        ValueError: they are not.
    """
    numbers = [real_number(name, limit) for limit in limits] if isinstance(limits, Sequence) else []
    if len(numbers) == 2:
        low, high = numbers
        if 0.0 < low <= high <= greatest and high < math.inf:
            return low, high
    bound = f" and at most {greatest:g}" if greatest < math.inf else ""
    raise ValueError(f"{name} must be a rising range above 0{bound}, got {shown(limits)}")


def counts(**values: SupportsIndex) -> tuple[int, ...]:
    """All `values`, in order, as Python's integers, which do not overflow.

    Raises:
        ValueError: one of them is no integer, or below 1.
    """
    for name, value in values.items():
        whole = _whole(value)
        if whole is None or whole < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {shown(value)}")
    return tuple(operator.index(value) for value in values.values())


def whole_px(**values: SupportsIndex) -> tuple[int, ...]:
    """All `values`, in order, as Python's integers.

    Raises:
        ValueError: one of them is no integer, or negative.
    """
    for name, value in values.items():
        whole = _whole(value)
        if whole is None or whole < 0:
            raise ValueError(f"{name} must be 0 or more whole px, got {shown(value)}")
    return tuple(operator.index(value) for value in values.values())


def height_width(
    name: str, size: Sequence[SupportsIndex] | npt.NDArray[np.integer]
) -> tuple[int, int]:
    """A height and a width, px, as stored arrays of two have them, too.

    Raises:
        ValueError: they are not two integers of 1 or more.
    """
    sides = [_whole(side) for side in size] if isinstance(size, Sequence | np.ndarray) else []
    if len(sides) == 2:
        height, width = sides
        if height is not None and width is not None and min(height, width) >= 1:
            return height, width
    raise ValueError(f"{name} must be (height, width), at least 1 x 1 whole px, got {shown(size)}")


def joint_numbers(name: str, joints: Sequence[SupportsIndex], num_joints: int) -> list[int]:
    """Joint numbers as a list.

    Raises:
        ValueError: one is no integer from 0 to `num_joints` - 1.
    """
    listed = isinstance(joints, Sequence | np.ndarray) and not isinstance(joints, str)
    numbers = [_whole(joint) for joint in joints] if listed else [None]
    if any(number is None or not 0 <= number < num_joints for number in numbers):
        raise ValueError(f"{name} must be joints from 0 to {num_joints - 1}, got {shown(joints)}")
    return [operator.index(joint) for joint in joints]


def checked_mirror(mirror: Sequence[int], num_joints: int) -> list[int]:
    """For each of `num_joints` joints (or limbs) the one that it becomes in a mirror.

    Raises:
        ValueError: it is not each of them once.
    """
    order = joint_numbers("mirror", mirror, num_joints)
    if sorted(order) != list(range(num_joints)):
        raise ValueError(f"mirror must hold each of {num_joints} joints once, got {shown(mirror)}")
    return order


def checked_limb_mirror(
    mirror: Sequence[tuple[int, int]], num_limbs: int
) -> tuple[list[int], list[int]]:
    """For each of `num_limbs` limbs its mirror image, and the signs, as two lists.

    Raises:
        ValueError: it is not each limb once, with 1 or -1.
    """
    table = real_array("mirror", mirror)
    whole = table.shape == (num_limbs, 2) and table.dtype.kind in "iu"
    limbs, signs = table.T.tolist() if whole and num_limbs else ([], [])
    if sorted(limbs) != list(range(num_limbs)) or not set(signs) <= {-1, 1}:
        raise ValueError(
            f"mirror must hold each of {num_limbs} limbs once, with 1 or -1, got {shown(mirror)}"
        )
    return limbs, signs


def shown(value: object) -> str:
    """`value` for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _whole(value: object) -> int | None:
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None
