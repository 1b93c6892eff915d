"""Windows of maps (..., H, W) on whole pixels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)


def random_crop(
    maps: npt.NDArray[Scalar],
    valid_hw: tuple[int, int],
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> npt.NDArray[Scalar]:
    """A window (..., *size_hw) at random inside the top left `valid_hw` of `maps`.

    Where the valid part is smaller than the window, the window starts at 0 and
    zeros fill the rest.

    Raises:
        ValueError: a valid part that is not on the maps, or a size below 1.
    """
    room = _room(maps, valid_hw, size_hw)
    top, left = (int(rng.integers(space + 1)) for space in room)
    return _window(maps, top, left, valid_hw, size_hw)


def centre_crop(
    maps: npt.NDArray[Scalar], valid_hw: tuple[int, int], size_hw: tuple[int, int]
) -> npt.NDArray[Scalar]:
    """As `random_crop`, from the middle of the valid part."""
    top, left = (space // 2 for space in _room(maps, valid_hw, size_hw))
    return _window(maps, top, left, valid_hw, size_hw)


def _room(
    maps: npt.NDArray[Scalar], valid_hw: tuple[int, int], size_hw: tuple[int, int]
) -> list[int]:
    on_maps = zip(valid_hw, maps.shape[-2:], strict=True)
    if not all(1 <= valid <= side for valid, side in on_maps):
        raise ValueError(f"valid_hw must lie on maps of {maps.shape[-2:]} px, got {valid_hw}")
    if min(size_hw) < 1:
        raise ValueError(f"size_hw must be at least 1 x 1 px, got {size_hw}")
    return [max(valid - size, 0) for valid, size in zip(valid_hw, size_hw, strict=True)]


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
