"""Pictures that were written, and the parts of a sheet of them."""

from __future__ import annotations

from pathlib import Path

import cv2

from posemill.schema import UInt8

HEAD, CAPTION, GAP = 28, 20, 8


def read_png(path: Path) -> UInt8:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def panel(sheet: UInt8, number: int, columns: int, size_hw: tuple[int, int]) -> UInt8:
    """A picture of a sheet: below a head, in rows of `columns`, captions below, gaps between."""
    height, width = size_hw
    top = HEAD + number // columns * (height + CAPTION + GAP)
    left = GAP + number % columns * (width + GAP)
    return sheet[top : top + height, left : left + width]
