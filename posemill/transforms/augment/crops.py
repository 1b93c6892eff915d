"""Windows of maps (..., H, W) on whole pixels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from posemill.transforms.arguments import height_width
from posemill.transforms.augment.axes import checked_maps

Scalar = TypeVar("Scalar", bound=np.generic)
HeightWidth = tuple[int, int]


def random_crop(
    maps: npt.NDArray[Scalar],
    valid_hw: HeightWidth,
    size_hw: HeightWidth,
    rng: np.random.Generator,
) -> npt.NDArray[Scalar]:
    """A window (..., *size_hw) at random inside the top left `valid_hw` of `maps`.

    Where the valid part is smaller than the window, the window starts at 0 and
    zeros fill the rest.

    Raises:
        ValueError: a valid part that is not on the maps, or a size below 1.
    """
    maps = checked_maps(maps)
    valid, size = _checked_sizes(maps, valid_hw, size_hw)
    top, left = random_corner(valid, size, rng)
    return _window(maps, top, left, valid, size)


def random_corner(
    valid_hw: HeightWidth, size_hw: HeightWidth, rng: np.random.Generator
) -> HeightWidth:
    """Row and column where a window of `size_hw` inside `valid_hw` begins, as `random_crop` draws.

    Joints are cropped alike when it is taken from their coordinates.
    """
    top, left = (int(rng.integers(space + 1)) for space in _room(valid_hw, size_hw))
    return top, left


def centre_crop(
    maps: npt.NDArray[Scalar], valid_hw: HeightWidth, size_hw: HeightWidth
) -> npt.NDArray[Scalar]:
    """As `random_crop`, from the middle of the valid part."""
    maps = checked_maps(maps)
    valid, size = _checked_sizes(maps, valid_hw, size_hw)
    top, left = (space // 2 for space in _room(valid, size))
    return _window(maps, top, left, valid, size)


def _checked_sizes(
    maps: npt.NDArray[Scalar], valid_hw: HeightWidth, size_hw: HeightWidth
) -> tuple[HeightWidth, HeightWidth]:
    valid, size = height_width("valid_hw", valid_hw), height_width("size_hw", size_hw)
    if valid[0] > maps.shape[-2] or valid[1] > maps.shape[-1]:
        raise ValueError(f"valid_hw must lie on maps of {maps.shape[-2:]} px, got {valid}")
    return valid, size


def _room(valid: HeightWidth, size: HeightWidth) -> HeightWidth:
    """How far down and right a window may start."""
    return max(valid[0] - size[0], 0), max(valid[1] - size[1], 0)


def _window(
    maps: npt.NDArray[Scalar],
    top: int,
    left: int,
    valid: HeightWidth,
    size: HeightWidth,
) -> npt.NDArray[Scalar]:
    out = np.zeros((*maps.shape[:-2], *size), maps.dtype)
    height = min(size[0], valid[0] - top)
    width = min(size[1], valid[1] - left)
    out[..., :height, :width] = maps[..., top : top + height, left : left + width]
    return out
