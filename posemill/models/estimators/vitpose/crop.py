"""The rectangles around people, and the ways between them, their crops and the frame.

Source: J. Huang et al., "The Devil is in the Details: Delving into Unbiased Data
Processing for Human Pose Estimation", CVPR 2020: lengths are measured between the
centres of pixels, so that a picture of W pixels has the unit length W - 1, and its
outermost centres lie on the edges of what it shows. So a crop, its heatmap and its
mirror image need no offsets.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Float32, UInt8

Float64 = npt.NDArray[np.float64]

MIN_SIDE_PX = 1.0
"""What is left of a box inside of the frame must be as wide and as high."""


@dataclass(frozen=True, slots=True)
class Crops:
    """Rectangles of one frame, N of them, all of one aspect ratio; they may leave the frame."""

    left_top: Float64  # (N, 2) x and y of the centre of the first pixel, source pixels
    size: Float64  # (N, 2) width and height between the centres of the outermost pixels

    def __len__(self) -> int:
        return len(self.size)

    def to_source(self, xy: Float32) -> Float32:
        """(N, K, 2) fractions of the rectangles (0 and 1 are the outermost centres), in pixels of
        the source."""
        return np.asarray(self.left_top[:, None] + xy * self.size[:, None], np.float32)

    def matrices(self, size_wh: tuple[int, int]) -> Float64:
        """(N, 2, 3) affine maps from the source's pixels to those of crops of `size_wh`."""
        scale = (np.array(size_wh) - 1) / self.size
        matrices = np.zeros((len(self), 2, 3))
        matrices[:, [0, 1], [0, 1]] = scale
        matrices[:, :, 2] = -self.left_top * scale
        return matrices


def crops_around(boxes_px: Float32, aspect: float, padding: float) -> Crops:
    """The rectangles of `aspect` (width / height) around boxes, `padding` times as large.

    Args:
        boxes_px: (N, 4) left, top, right, bottom; with an area, see `boxes_inside`.
        padding: 1.25 is what the published weights were trained with.
    """
    corners = boxes_px.astype(np.float64).reshape(-1, 2, 2)
    width, height = (corners[:, 1] - corners[:, 0]).T
    size = np.stack([np.maximum(width, height * aspect), np.maximum(height, width / aspect)], 1)
    size *= padding
    return Crops(corners.mean(axis=1) - size / 2, size)


def boxes_inside(boxes_px: Float32, size_wh: tuple[int, int]) -> Float32:
    """The parts inside of the frame of boxes (N, 4); those with no pixel's width there are left
    out.

    Raises:
        InputError: they are not (N, 4), or not finite.
    """
    if boxes_px.ndim != 2 or boxes_px.shape[1] != 4 or not np.isfinite(boxes_px).all():
        raise InputError(
            "the boxes of a frame must be (N, 4) finite numbers, left, top, right and bottom in "
            f"pixels; got {boxes_px.shape}: {boxes_px[:3].tolist()}"
        )
    limit = np.array([*size_wh, *size_wh], np.float32) - 0.5
    inside = np.clip(boxes_px, np.float32(-0.5), limit)
    large = (inside[:, 2:] - inside[:, :2] >= MIN_SIDE_PX).all(axis=1)
    return np.asarray(inside[large], np.float32)


def cut(frame: UInt8, crops: Crops, size_wh: tuple[int, int]) -> UInt8:
    """(N, height, width, 3): the crops of a frame (H, W, 3), interpolated linearly, black outside.

    Linear even where it shrinks: so were the crops that the published weights were trained on.
    """
    width, height = size_wh
    pictures = np.empty((len(crops), height, width, 3), np.uint8)
    for picture, matrix in zip(pictures, crops.matrices(size_wh), strict=True):
        cv2.warpAffine(frame, matrix, size_wh, dst=picture, flags=cv2.INTER_LINEAR)
    return pictures
