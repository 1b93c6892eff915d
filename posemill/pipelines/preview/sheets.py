"""What a drawn clip is made of, and how it becomes a sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from posemill.pipelines.drawing import PAPER, Cell, Colour, blank, contact_sheet, write_text
from posemill.schema import UInt8

PANEL_PX = 172
"""Width of a picture on a sheet of features."""
COLUMNS = 6
GROUND: Colour = (28, 28, 32)
_MIN_WIDTH_PX = 3 * PANEL_PX
_NOTE_PX = 24

Key = Callable[[int], UInt8]
"""Draws what colours mean, in a given width."""


Times = Sequence[int]
"""Which times of a clip are drawn, ascending."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One clip's pictures, and what is to be said of them."""

    about: str
    cells: tuple[Cell, ...]
    columns: int
    key: Key


def sheet(title: str, cells: Sequence[Cell], columns: int, key: Key, note: str) -> UInt8:
    """All pictures below a title and above their key and a note; wide enough for all to be read."""
    pictures = contact_sheet(title, cells, columns, _MIN_WIDTH_PX)
    width = pictures.shape[1]
    last = blank(_NOTE_PX, width, PAPER)
    write_text(last, note, (8, _NOTE_PX - 10), width - 16)
    return np.concatenate([pictures, key(width), last])


def spread(count: int, wanted: int) -> list[int]:
    """Up to `wanted` of the numbers 0 to count - 1, evenly, the first and the last among them."""
    return sorted({int(place) for place in np.linspace(0, count - 1, min(count, wanted)).round()})
