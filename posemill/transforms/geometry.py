"""Where joints land: subject-centred crop, resizing, canvas, flip.

Pixel centres lie on integers, so pixel i covers [i - 1/2, i + 1/2] and a
picture of width W covers [-1/2, W - 1/2]. Scaling by s maps x to
(x + 1/2) s - 1/2. No function changes its arguments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from posemill.schema import Float32

CROP_PADDING = 0.25
CROP_MIN_EXTENT_PX = 10.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the frame, in px; `left` and `top` are edges, not pixel centres.

    Raises:
        ValueError: it has no area.
    """

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"a box of {self.width} x {self.height} px has no area")


def frame_box(width: int, height: int) -> Box:
    """All of a frame of `width` x `height` px."""
    return Box(left=-0.5, top=-0.5, width=float(width), height=float(height))


def subject_box(xy_px: Float32, score: Float32, width: int, height: int) -> Box:
    """The square around all detected joints of all given rows, 1.25 times their extent.

    It may reach beyond the frame. Where the joints span less than 10 px in x
    or in y, or there are none, it is the whole frame (PoseConv3D, section 3.2,
    and the sizes of its published code).

    Args:
        xy_px: (P, K, 2) in px of the frame.
        score: (P, K); 0 = not detected.
        width, height: of the frame, px.
    """
    seen = xy_px[score > 0]
    if len(seen) == 0:
        return frame_box(width, height)
    low, high = seen.min(axis=0).astype(np.float64), seen.max(axis=0).astype(np.float64)
    extent = high - low
    if extent.min() < CROP_MIN_EXTENT_PX:
        return frame_box(width, height)
    side = float(extent.max()) * (1.0 + CROP_PADDING)
    left, top = (low + high) / 2.0 - side / 2.0
    return Box(left=float(left), top=float(top), width=side, height=side)


def map_to(xy_px: Float32, box: Box, size_hw: tuple[int, int]) -> Float32:
    """`xy_px` (..., 2) of the frame, in px of a picture of `size_hw` that shows `box`."""
    height, width = size_hw
    scale = np.array([width / box.width, height / box.height])
    edge = np.array([box.left, box.top])
    mapped: Float32 = ((xy_px.astype(np.float64) - edge) * scale - 0.5).astype(np.float32)
    return mapped


def fit_canvas(width: int, height: int, canvas_hw: tuple[int, int]) -> tuple[int, int]:
    """Height and width, px, of a frame shrunk or grown to just fit inside `canvas_hw`.

    A size between two pixels is rounded up: 320 x 240 on a canvas of (64, 86)
    fills 64 x 86, as published for JMRN.
    """
    canvas_height, canvas_width = canvas_hw
    scale = min(canvas_width / width, canvas_height / height)
    fitted = (math.ceil(height * scale - 1e-6), math.ceil(width * scale - 1e-6))
    return max(1, min(fitted[0], canvas_height)), max(1, min(fitted[1], canvas_width))


def flip_joints(
    xy_px: Float32, score: Float32, width: float, mirror: tuple[int, ...]
) -> tuple[Float32, Float32]:
    """The joints seen in a mirror: x becomes width - 1 - x, left and right swap.

    Args:
        xy_px: (..., K, 2); score: (..., K).
        width: of the picture, px.
        mirror: of the skeleton, see `Skeleton.mirror`.
    """
    order = list(mirror)
    flipped = xy_px[..., order, :]
    flipped[..., 0] = np.float32(width - 1.0) - flipped[..., 0]
    return flipped, score[..., order]
