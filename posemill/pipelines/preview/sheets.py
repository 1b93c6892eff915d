"""What a drawn clip is made of, and how it becomes a sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from posemill.pipelines.drawing import Cell, Colour, contact_sheet
from posemill.schema import UInt8

PANEL_PX = 172
"""Width of a picture on a sheet of features."""
COLUMNS = 6
GROUND: Colour = (28, 28, 32)
_MIN_WIDTH_PX = 3 * PANEL_PX

Key = Callable[[int], UInt8]
"""Draws what colours mean, in a given width."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One clip's pictures, and what is to be said of them."""

    about: str
    cells: tuple[Cell, ...]
    columns: int
    key: Key


def sheet(title: str, cells: Sequence[Cell], columns: int, key: Key) -> UInt8:
    """All pictures below a title and above their key; wide enough for both to be read."""
    pictures = contact_sheet(title, cells, columns, _MIN_WIDTH_PX)
    return np.concatenate([pictures, key(pictures.shape[1])])


def spread(count: int, wanted: int) -> list[int]:
    """Up to `wanted` of the numbers 0 to count - 1, evenly, the first and the last among them."""
    return sorted({int(place) for place in np.linspace(0, count - 1, min(count, wanted)).round()})
