"""How the values of maps are kept in arrays of float32, float16 and uint8."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from posemill.transforms.rasterize.checks import Maps
from posemill.transforms.rasterize.kernels import move_to_halves

FIELD_DTYPES = np.dtype(np.float32), np.dtype(np.float16)
MAP_DTYPES = *FIELD_DTYPES, np.dtype(np.uint8)


class Storing(NamedTuple):
    """How a map holds a value v: min(unit v, ceiling) + half, cut to the map's type."""

    unit: np.float32
    ceiling: np.float32
    half: np.float32


_REALS = Storing(np.float32(1.0), np.float32(np.inf), np.float32(0.0))
_BYTES = Storing(np.float32(255.0), np.float32(255.0), np.float32(0.5))


def storing(out: Maps) -> Storing:
    """How values are kept in `out`, or in the scratch arrays on the way to it."""
    return _BYTES if out.dtype == np.uint8 else _REALS


def erasable(out: Maps) -> Maps:
    """`out` as a type that numba can write zeros of."""
    return out.view(np.uint16) if out.dtype == np.float16 else out


def draw_through_scratch(
    out: Maps, draw: Callable[[int, Maps], None], *, maps_each: int = 1, min_width: int = 1
) -> None:
    """Fill `out` where the kernels cannot write: float16, or narrower than they must have it.

    `draw(n, scratch)` draws the maps that belong at `out[n * maps_each]` and on
    into zeros, at least `min_width` px wide.
    """
    halves = out.dtype == np.float16
    width = out.shape[-1]
    shape = maps_each, *out.shape[1:-1], max(width, min_width)
    scratch = np.zeros(shape, np.float32 if halves else out.dtype)
    for number, first in enumerate(range(0, len(out), maps_each)):
        draw(number, scratch)
        target = out[first : first + maps_each]
        if halves:
            move_to_halves(scratch, target.view(np.uint16))
        else:
            target[...] = scratch[..., :width]
            scratch.fill(0)
