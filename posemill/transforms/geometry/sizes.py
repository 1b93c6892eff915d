"""Sizes of pictures that keep a frame's aspect."""

from __future__ import annotations

import math


def fit_canvas(width: int, height: int, canvas_hw: tuple[int, int]) -> tuple[int, int]:
    """Height and width, px, of a frame shrunk or grown to just fit inside `canvas_hw`.

    A size between two pixels is rounded up: 320 x 240 on a canvas of (64, 86)
    fills 64 x 86, as published for JMRN.

    Raises:
        ValueError: a frame or a canvas without area.
    """
    _check_size("width x height", width, height)
    canvas_height, canvas_width = canvas_hw
    _check_size("canvas_hw", canvas_height, canvas_width)
    scale = min(canvas_width / width, canvas_height / height)
    fitted_height, fitted_width = _up(height * scale), _up(width * scale)
    return max(1, min(fitted_height, canvas_height)), max(1, min(fitted_width, canvas_width))


def short_side_hw(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Height and width, px, of a frame of which the shorter side becomes `short_side`.

    The other side is rounded up, as in `fit_canvas`.

    Raises:
        ValueError: a frame without area, or a side below 1.
    """
    _check_size("width x height", width, height)
    if short_side < 1:
        raise ValueError(f"short_side must be at least 1 px, got {short_side}")
    scale = short_side / min(width, height)
    if width < height:
        return _up(height * scale), short_side
    return short_side, _up(width * scale)


def _up(size: float) -> int:
    return math.ceil(size - 1e-6)  # what rounding adds to a whole number is not a pixel


def _check_size(name: str, first: int, second: int) -> None:
    if first < 1 or second < 1:
        raise ValueError(f"{name} must be at least 1 x 1 px, got {first} x {second}")
