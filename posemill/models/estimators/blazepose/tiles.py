"""Windows of a frame, so that the detector also sees people who are small in it.

The detector looks at 224 x 224 pixels and finds people who fill much of them.
It is shown the whole frame, then squares of the frame's full height (where the
frame is wide), then smaller squares in two rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from posemill.models.estimators.blazepose.rules import BlazePoseRules
from posemill.schema import UInt8


@dataclass(frozen=True, slots=True)
class Window:
    """A square of whole pixels; it may reach beyond the picture."""

    left: int
    top: int
    side: int


def windows(width: int, height: int, rules: BlazePoseRules) -> tuple[Window, ...]:
    """The squares that cover a picture of `width` x `height`; the first holds all of it."""
    if height > width:
        upright = windows(height, width, rules)
        return tuple(Window(window.top, window.left, window.side) for window in upright)
    whole = Window(0, (height - width) // 2, width)
    low = round(rules.tile_fraction * height)
    full = _row(width, height, 0, rules) if width > rules.wide_aspect * height else []
    small = [window for top in (0, height - low) for window in _row(width, low, top, rules)]
    return tuple(dict.fromkeys([whole, *full, *small]))


def _row(width: int, side: int, top: int, rules: BlazePoseRules) -> list[Window]:
    """Squares of `side` side by side; none where they are too small for a person."""
    if side < rules.min_side_px:
        return []
    return [Window(left, top, side) for left in _starts(width, side, rules.tile_overlap)]


def _starts(length: int, side: int, overlap: float) -> list[int]:
    """Where to begin equal spans of `side`, evenly, to cover `length` with that overlap."""
    gaps = math.ceil((length - side) / (side * (1 - overlap)))
    return [round(index * (length - side) / max(gaps, 1)) for index in range(gaps + 1)]


def shrink(frame: UInt8, size: int, rules: BlazePoseRules) -> UInt8:
    """The frame, made smaller once for all windows: the small ones then need no scaling.

    `size` is the detector's input side. Frames that are small enough come back as they are.
    """
    height, width = frame.shape[:2]
    ratio = size / (rules.tile_fraction * min(width, height))
    if ratio >= 1:
        return frame
    new_size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    return np.asarray(cv2.resize(frame, new_size, interpolation=cv2.INTER_AREA), np.uint8)


def cut(frame: UInt8, window: Window, size: int) -> UInt8:
    """The window as a picture (size, size, 3), black where it leaves the frame."""
    height, width = frame.shape[:2]
    left, right = max(window.left, 0), min(window.left + window.side, width)
    top, bottom = max(window.top, 0), min(window.top + window.side, height)
    scale = size / window.side
    to_x, to_y = round((left - window.left) * scale), round((top - window.top) * scale)
    new_width = max(1, round((right - left) * scale))
    new_height = max(1, round((bottom - top) * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.resize(frame[top:bottom, left:right], (new_width, new_height), interpolation=how)
    canvas = np.zeros((size, size, 3), np.uint8)
    canvas[to_y : to_y + new_height, to_x : to_x + new_width] = part[: size - to_y, : size - to_x]
    return canvas
