"""Decoded pictures cropped, scaled and mirrored as `geometry` does it to joints."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from posemill.schema import UInt8
from posemill.transforms.arguments import height_width
from posemill.transforms.geometry import Box

_ROUNDING = 1e-6  # px: what scaling adds to a box on whole pixels takes no pixel more


def show_box(pictures: UInt8, box: Box, size_hw: tuple[int, int]) -> UInt8:
    """Pictures (N, H, W, 3) of `size_hw` that show `box` of `pictures` (N, h, w, 3).

    What is at xy lands at `geometry.map_to(xy, box, size_hw)`. Where a side
    shrinks, pixels are averaged over the area that one of the result covers;
    places between pixels are interpolated bilinearly. Beyond the pictures all
    is black, up to their very edge: the last pixels do not fade.

    Args:
        box: in px of `pictures`; it may reach beyond them.

    Raises:
        ValueError: pictures that are not (N, h, w, 3) uint8, or a size below 1 px.
    """
    pictures = _checked(pictures)
    height, width = height_width("size_hw", size_hw)
    down = _side(box.top, box.height, pictures.shape[1], height)
    across = _side(box.left, box.width, pictures.shape[2], width)
    out = np.zeros((len(pictures), height, width, 3), np.uint8)
    if down.nothing or across.nothing:
        return out
    seen = (slice(down.low, down.high), slice(across.low, across.high))
    for picture, shown in zip(pictures, out, strict=True):
        part = _shrunk(picture[down.first : down.stop, across.first : across.stop], down, across)
        shown[seen] = _sampled(part, down, across, (height, width))[seen]
    return out


def mirror_pictures(pictures: UInt8) -> UInt8:
    """Pictures (..., h, w, 3) as a mirror shows them: `geometry.flip_joints`'s x to w - 1 - x."""
    return np.ascontiguousarray(pictures[..., ::-1, :])


class _Side(NamedTuple):
    """Along one side: which pixels are read, shrunk to how many, and sampled where."""

    first: int
    stop: int
    shrunk: int
    """Number of pixels that are left of first .. stop - 1."""
    step: float
    """From pixel to pixel of the result, in shrunk pixels."""
    start: float
    """Place of the first pixel of the result among the shrunk ones."""
    low: int
    high: int
    """Pixels low .. high - 1 of the result lie on the picture."""

    @property
    def nothing(self) -> bool:
        return self.low == self.high


def _side(edge: float, extent: float, length: int, size: int) -> _Side:
    """Of a box from `edge` on, `extent` px long, on `length` px, as `size` px."""
    step = extent / size
    centres = edge + (np.arange(size) + 0.5) * step
    low = int(np.searchsorted(centres, -0.5, side="left"))
    high = int(np.searchsorted(centres, length - 0.5, side="right"))
    # To interpolate up to the box's edge takes a pixel more; to average does not.
    margin = 0 if step > 1 else 1
    first = max(math.floor(edge + 0.5 + _ROUNDING) - margin, 0)
    stop = min(math.ceil(edge + extent + 0.5 - _ROUNDING) + margin, length)
    count = max(stop - first, 1)
    shrunk = min(max(round(count / step), 1), count) if step > 1 else count
    cell = count / shrunk
    start = (edge + step / 2 - first + 0.5) / cell - 0.5
    return _Side(first, stop, shrunk, step / cell, start, low, high)


def _shrunk(part: UInt8, down: _Side, across: _Side) -> UInt8:
    if part.shape[:2] == (down.shrunk, across.shrunk):
        return part
    size_wh = across.shrunk, down.shrunk
    return np.asarray(cv2.resize(part, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _sampled(part: UInt8, down: _Side, across: _Side, size_hw: tuple[int, int]) -> UInt8:
    backwards = np.array([[across.step, 0.0, across.start], [0.0, down.step, down.start]])
    method = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(
            part, backwards, size_hw[::-1], flags=method, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )


def _checked(pictures: UInt8) -> UInt8:
    shape = pictures.shape
    if pictures.dtype != np.uint8 or len(shape) != 4 or shape[-1] != 3 or 0 in shape[1:]:
        raise ValueError(
            f"pictures must be (N, h, w, 3) uint8 with pixels, got {shape} {pictures.dtype}"
        )
    return pictures
