"""Squares around people: where the landmark network looks, and how to come back.

Coordinates are in pixels with pixel centres on integers. A picture of n pixels
thus spans [-0.5, n - 0.5), and so does a crop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from posemill.schema import Float32, UInt8


@dataclass(frozen=True, slots=True)
class Region:
    """A square in the picture, turned by `angle` so that its person stands upright in it."""

    x_px: float
    y_px: float
    """The centre."""
    side_px: float
    angle: float
    """Radians by which the square is turned in the picture, clockwise as one looks at it."""

    @property
    def tilt_degrees(self) -> float:
        """Between the person and the frame's upright, in [0, 180]."""
        return abs(math.degrees(math.remainder(self.angle, 2 * math.pi)))

    def turn_degrees(self, other: Region) -> float:
        """Between the two people, in [0, 180]."""
        return abs(math.degrees(math.remainder(self.angle - other.angle, 2 * math.pi)))

    def is_finite(self) -> bool:
        return all(map(math.isfinite, (self.x_px, self.y_px, self.side_px, self.angle)))

    def distance_px(self, other: Region) -> float:
        """Between the centres."""
        return math.hypot(self.x_px - other.x_px, self.y_px - other.y_px)


def region_around(middle_px: Float32, rim_px: Float32, scale: float) -> Region:
    """The square around the body's circle with the centre `middle_px` (2,) (between the hips).

    `rim_px` (2,) is the point of the circle above the head; `scale` times the
    circle's diameter is the square's side.
    """
    along_x, along_y = (float(value) for value in rim_px - middle_px)
    return Region(
        x_px=float(middle_px[0]),
        y_px=float(middle_px[1]),
        side_px=2.0 * math.hypot(along_x, along_y) * scale,
        angle=math.pi / 2 - math.atan2(-along_y, along_x),
    )


def crop_to_image(region: Region, size: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The affine map (2, 3) from pixels of a crop of `size` x `size` to pixels of the picture."""
    scale = region.side_px / size
    cosine, sine = math.cos(region.angle) * scale, math.sin(region.angle) * scale
    turn = np.array([[cosine, -sine], [sine, cosine]])
    middle = (size - 1) / 2
    offset = np.array([region.x_px, region.y_px]) - turn @ (middle, middle)
    return np.column_stack([turn, offset])


def to_image(xy_px: Float32, region: Region, size: int) -> Float32:
    """Points (..., 2) of a crop of `size` x `size`, in the picture."""
    affine = crop_to_image(region, size)
    return (xy_px @ affine[:, :2].T + affine[:, 2]).astype(np.float32)


def crop(frame: UInt8, region: Region, size: int) -> UInt8:
    """The square as a picture (size, size, 3), black where it leaves the frame."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(frame, crop_to_image(region, size), (size, size), flags=flags)
    return np.asarray(warped, np.uint8)
