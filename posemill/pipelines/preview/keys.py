"""What the colours of a sheet mean, as strips of any width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.pipelines.drawing import (
    LEFT,
    MIDDLE,
    PAPER,
    RIGHT,
    TRACKS,
    Colour,
    blank,
    legend,
    write_text,
)
from posemill.pipelines.preview.colours import change, direction
from posemill.schema import Float32, UInt8
from posemill.transforms.potion import colour_potion, time_encoding

_BAR_PX = 14
_WHEEL_PX = 57  # odd: one pixel is the middle


def time_key(num_channels: int, width_px: int) -> UInt8:
    """The colours of time from a clip's start to its end, as `colour_potion` mixes them."""
    span = width_px - 2 * (width_px // 4)
    encoding = time_encoding(span, num_channels)  # (W, C)
    maps = np.broadcast_to(encoding.T[None, :, None], (1, num_channels, _BAR_PX, span))
    colours = colour_potion(np.ascontiguousarray(maps))
    return colour_bar(colours, "start of the clip", "end of the clip", width_px)


def change_key(full: float, width_px: int) -> UInt8:
    """The colours of changes from -full to full."""
    span = width_px - 2 * (width_px // 4)
    values = np.linspace(-1.0, 1.0, span, dtype=np.float32)
    colours = change(np.tile(values, (1, _BAR_PX, 1)))
    return colour_bar(colours, f"goes: -{full:.2g}", f"appears: +{full:.2g}", width_px)


def direction_key(full: float, text: str, width_px: int) -> UInt8:
    """The colours of directions as a wheel, brightest at the rim for vectors of length `full`."""
    strip = blank(_WHEEL_PX + 8, width_px, PAPER)
    strip[:_WHEEL_PX, 8 : 8 + _WHEEL_PX] = wheel(_WHEEL_PX)
    at = 8 + _WHEEL_PX + 12
    write_text(strip, f"hue: {text}", (at, 24), width_px - at)
    write_text(strip, f"brightness: its length, {full:.2g} at the rim", (at, 44), width_px - at)
    return strip


def wheel(size_px: int) -> UInt8:
    """Every vector's colour where it points to from the middle, (S, S, 3); S is odd."""
    radius = size_px // 2
    steps = np.arange(-radius, radius + 1, dtype=np.float32) / np.float32(radius)
    x, y = np.meshgrid(steps, steps)
    vectors: Float32 = np.stack([x, y], axis=-1)
    outside = np.hypot(x, y) > 1.0
    disc = direction(vectors)
    disc[outside] = PAPER
    return disc


def side_key(about: str, width_px: int) -> UInt8:
    """The colours of the body's sides; `about` says what else there is to see."""
    sides: list[tuple[Colour, str]] = [(LEFT, "left"), (RIGHT, "right"), (MIDDLE, "middle")]
    return _with_text(legend(sides, width_px), about, width_px)


def people_key(people: Sequence[int], about: str, width_px: int) -> UInt8:
    """The colours of people by their number."""
    entries = [(TRACKS[person % len(TRACKS)], f"person {person}") for person in people]
    return _with_text(legend(entries, width_px), about, width_px)


def text_key(about: str, width_px: int) -> UInt8:
    """A line of text."""
    return _with_text(blank(0, width_px, PAPER), about, width_px)


def colour_bar(colours: UInt8, left_text: str, right_text: str, width_px: int) -> UInt8:
    """A bar (., W, 3) of colours (., W / 2, 3) between the texts of its two ends."""
    bar = blank(_BAR_PX + 24, width_px, PAPER)
    left, right = width_px // 4, width_px - width_px // 4
    bar[4 : 4 + _BAR_PX, left:right] = colours
    write_text(bar, left_text, (8, _BAR_PX + 2), left - 16)
    write_text(bar, right_text, (right + 8, _BAR_PX + 2), width_px - right - 16)
    return bar


def _with_text(strip: UInt8, text: str, width_px: int) -> UInt8:
    line = blank(24, width_px, PAPER)
    write_text(line, text, (8, 14), width_px - 16)
    return np.concatenate([strip, line])
