"""Frames fitted into the input of a network: scaled evenly, centred, with a grey border."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from posemill.schema import Float32, UInt8

Size = tuple[int, int]
"""Width and height in pixels."""

_GREY = 114  # the border that both families of networks were trained with


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a frame lies in the input of a network."""

    source: Size
    resized: Size
    padded: Size

    @property
    def offset(self) -> Size:
        """Pixels of border at the left and at the top; an odd one goes right and below."""
        left, top = ((padded - size) // 2 for padded, size in _pairs(self.padded, self.resized))
        return left, top

    def to_source(self, xy_px: Float32) -> Float32:
        """Pixels (..., 2) of the input to source pixels, both with centres on integers."""
        scale = np.array(self.source, np.float32) / np.array(self.resized, np.float32)
        return np.asarray((xy_px - np.array(self.offset) + 0.5) * scale - 0.5, np.float32)


def fit(source: Size, padded: Size) -> Letterbox:
    """The largest even scaling of `source` that `padded` can hold."""
    factor = min(outer / inner for outer, inner in _pairs(padded, source))
    return Letterbox(source, _scaled(source, factor), padded)


def fit_long_edge(source: Size, long_edge: int, multiple: int) -> Letterbox:
    """`source` scaled to a long edge, padded to multiples as little as can be."""
    resized = _scaled(source, long_edge / max(source))
    width, height = (-(-size // multiple) * multiple for size in resized)
    return Letterbox(source, resized, (width, height))


def boxed(frame: UInt8, letterbox: Letterbox) -> UInt8:
    """The frame (H, W, 3) as the letterbox says: (padded height, padded width, 3).

    Scaled linearly without smoothing first, as the networks' own training did it.
    """
    if letterbox.resized != letterbox.source:
        linear = cv2.resize(frame, letterbox.resized, interpolation=cv2.INTER_LINEAR)
        frame = np.asarray(linear, np.uint8)
    (width, height), (left, top) = letterbox.padded, letterbox.offset
    picture = np.full((height, width, 3), _GREY, np.uint8)
    picture[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
    return picture


def _scaled(size: Size, factor: float) -> Size:
    width, height = (max(round(edge * factor), 1) for edge in size)
    return width, height


def _pairs(first: Size, second: Size) -> zip[tuple[int, int]]:
    return zip(first, second, strict=True)
