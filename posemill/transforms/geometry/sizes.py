"""Sizes of pictures that keep a frame's aspect."""

from __future__ import annotations

import math

from posemill.transforms.arguments import counts, height_width


def fit_canvas(width: int, height: int, canvas_hw: tuple[int, int]) -> tuple[int, int]:
    """Height and width, px, of a frame shrunk or grown to just fit inside `canvas_hw`.

    A size between two pixels is rounded up: 320 x 240 on a canvas of (64, 86)
    fills 64 x 86, as published for JMRN.

    Raises:
        ValueError: a frame or a canvas without area.
    """
    width, height = counts(width=width, height=height)
    canvas_height, canvas_width = height_width("canvas_hw", canvas_hw)
    scale = min(canvas_width / width, canvas_height / height)
    fitted_height, fitted_width = _up(height * scale), _up(width * scale)
    return max(1, min(fitted_height, canvas_height)), max(1, min(fitted_width, canvas_width))


def short_side_hw(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Height and width, px, of a frame of which the shorter side becomes `short_side`.

    The other side is rounded up, as in `fit_canvas`.

    Raises:
        ValueError: a frame without area, or a side below 1.
    """
    width, height, short_side = counts(width=width, height=height, short_side=short_side)
    scale = short_side / min(width, height)
    if width < height:
        return _up(height * scale), short_side
    return short_side, _up(width * scale)


def _up(size: float) -> int:
    return math.ceil(size - 1e-6)  # what rounding adds to a whole number is not a pixel
