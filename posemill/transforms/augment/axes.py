"""Maps (..., H, W), and the axis of theirs that counts joints."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from posemill.transforms.arguments import real_array

Scalar = TypeVar("Scalar", bound=np.generic)


def checked_maps(maps: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """Maps (..., H, W).

    Raises:
        ValueError: they have another rank, or are no real numbers.
    """
    array = real_array("maps", maps)
    if array.ndim < 2:
        raise ValueError(f"maps must be (..., H, W), got {array.shape}")
    return array


def joints_first(maps: npt.NDArray[Scalar], joint_axis: int) -> npt.NDArray[Scalar]:
    """A view (K, ..., H, W): what is written to it is written to `maps`.

    Raises:
        ValueError: `joint_axis` is none of those before H and W.
    """
    check_axis("joint_axis", joint_axis, maps)
    return np.moveaxis(maps, joint_axis, 0)


def check_axis(name: str, axis: int, maps: npt.NDArray[Scalar]) -> None:
    """Raise ValueError, naming the argument, unless `axis` is one of those before H and W."""
    before = maps.ndim - 2
    if not isinstance(axis, int | np.integer) or not (
        0 <= axis < before or -maps.ndim <= axis < -2
    ):
        raise ValueError(
            f"{name} must be an axis before H and W of maps of shape {maps.shape}, got {axis!r}"
        )
