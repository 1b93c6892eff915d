"""How a frame becomes openpifpaf's input, and its coordinates the frame's again.

Two conventions meet here. Resizing keeps the edges of the picture in place: with
centres of pixels on integers, x becomes (x + 1/2) s - 1/2. In the network, cell j
of a field of stride s lies on pixel j s of its input (each of its convolutions of
stride 2 is centred on every second pixel), so that inputs of n s + 1 pixels have
a cell on their first and on their last pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from posemill.schema import Float32, UInt8

# The mean colour of ImageNet, which is 0 to the network.
_PADDING_RGB = np.array([124, 116, 104], np.uint8)


@dataclass(frozen=True, slots=True)
class Letter:
    """A frame's way to the network's input; sizes are (width, height)."""

    source: tuple[int, int]
    resized: tuple[int, int]
    padded: tuple[int, int]
    corner: tuple[int, int]
    """The pixel of the input that the resized frame's first pixel lies on."""

    def to_source(self, xy_px: Float32) -> Float32:
        """Pixels of the network's input to source pixels, both with centres on integers."""
        scale = np.array(self.source, np.float32) / np.array(self.resized, np.float32)
        return np.asarray(
            (xy_px - np.array(self.corner, np.float32) + 0.5) * scale - 0.5, np.float32
        )

    @property
    def first_cell_px(self) -> tuple[float, float]:
        """(x, y) of the first cell's centre from the left and top edge of the resized frame, in
        network pixels: it lies on the input's first pixel, whose centre is 1/2 from its edge."""
        x, y = self.corner
        return 0.5 - x, 0.5 - y


def fit(size_wh: tuple[int, int], long_edge: float, stride: int) -> Letter:
    """Resize to `long_edge`, then pad on all sides to a multiple of `stride` plus one."""
    factor = long_edge / max(size_wh)
    width, height = (max(round(size * factor), 1) for size in size_wh)
    padded = _padded(width, stride), _padded(height, stride)
    corner = (padded[0] - width) // 2, (padded[1] - height) // 2
    return Letter(size_wh, (width, height), padded, corner)


def fitted(frame: UInt8, letter: Letter) -> UInt8:
    """The frame (H, W, 3) as the network's input, (height, width, 3) of `letter.padded`."""
    if letter.resized != letter.source:
        shrinks = letter.resized[0] < letter.source[0] or letter.resized[1] < letter.source[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        frame = np.asarray(cv2.resize(frame, letter.resized, interpolation=how), np.uint8)
    (width, height), (left, top) = letter.resized, letter.corner
    picture = np.empty((letter.padded[1], letter.padded[0], 3), np.uint8)
    picture[:] = _PADDING_RGB
    picture[top : top + height, left : left + width] = frame
    return picture


def _padded(size: int, stride: int) -> int:
    return max(-(-(size - 1) // stride), 1) * stride + 1
