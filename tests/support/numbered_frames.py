"""Pictures that spell a number, which survives lossy coding, scaling and rotation's tag.

A frame is a grid of 4 x 4 cells, light or dark. Its corners tell which side is up:
the upper left one is light, the other three are dark. The twelve cells between them,
read like a page, spell nine bits of the number, highest first, and three bits of
their sum in threes. Light is yellowish and dark is bluish, so that red and blue
cannot be exchanged unseen.
"""

from __future__ import annotations

import numpy as np

from posemill.schema import UInt8

DARK = (16, 16, 112)
LIGHT = (240, 240, 144)
CAPACITY = 512
"""Numbers are drawn modulo this."""
_CELLS = 4
_CORNERS = {(0, 0): True, (0, 3): False, (3, 0): False, (3, 3): False}
_PAGE = [cell for cell in np.ndindex(_CELLS, _CELLS) if cell not in _CORNERS]
_DATA_BITS, _CHECK_BITS = 9, 3


def draw_number(number: int, width: int, height: int) -> UInt8:
    """(height, width, 3) RGB that spells `number` modulo 512."""
    grid = np.zeros((_CELLS, _CELLS), np.bool_)
    for cell, light in _CORNERS.items():
        grid[cell] = light
    for cell, light in zip(_PAGE, _spell(number % CAPACITY), strict=True):
        grid[cell] = light
    palette = np.array([DARK, LIGHT], np.uint8)
    return palette[grid.astype(np.intp)[_cell_of(height)][:, _cell_of(width)]]


def read_number(rgb: UInt8) -> int:
    """The number that a frame spells.

    Raises:
        ValueError: it is upside down, on its side, or spells none.
    """
    light = _levels(rgb) > 128.0
    if any(bool(light[cell]) != expected for cell, expected in _CORNERS.items()):
        raise ValueError(f"the corners are {light[::3, ::3].tolist()}: not an upright numbered one")
    bits = [bool(light[cell]) for cell in _PAGE]
    number = sum(bit << place for place, bit in enumerate(reversed(bits[:_DATA_BITS])))
    if _spell(number) != bits:
        raise ValueError(f"the cells spell {number} with a wrong sum: {bits}")
    return number


def read_colours(rgb: UInt8) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean RGB of the lower right corner, drawn `DARK`, and of the upper left, drawn `LIGHT`."""
    height, width = rgb.shape[:2]
    dark, light = rgb[height * 13 // 16 :, width * 13 // 16 :], rgb[: height // 6, : width // 6]
    return (
        tuple(float(level) for level in dark.mean(axis=(0, 1))),
        tuple(float(level) for level in light.mean(axis=(0, 1))),
    )


def _spell(number: int) -> list[bool]:
    check = sum(number >> 3 * place for place in range(3)) % 8 ^ 0b101
    return [
        *(bool(number >> place & 1) for place in reversed(range(_DATA_BITS))),
        *(bool(check >> place & 1) for place in reversed(range(_CHECK_BITS))),
    ]


def _cell_of(pixels: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """(pixels,) the cell that each row or column lies in."""
    return np.arange(pixels) * _CELLS // pixels


def _levels(rgb: UInt8) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(4, 4) mean brightness of the cells without their seams."""
    grey = rgb.mean(axis=2)
    levels = np.zeros((_CELLS, _CELLS))
    for row, column in np.ndindex(_CELLS, _CELLS):
        levels[row, column] = grey[_inner(row, grey.shape[0]), _inner(column, grey.shape[1])].mean()
    return levels


def _inner(cell: int, pixels: int) -> slice:
    """The middle half of a cell, one pixel at least."""
    start = int((cell + 0.25) * pixels / _CELLS)
    return slice(start, max(start + 1, int((cell + 0.75) * pixels / _CELLS)))
