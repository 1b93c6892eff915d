"""Coordinates as pictures: stick figures, and vectors from one point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from posemill.pipelines.drawing import TRACKS, Colour, blank, draw_dot, draw_line
from posemill.pipelines.preview.sheets import GROUND, PANEL_PX
from posemill.schema import Float32, UInt8

_MARGIN_PX = 14
_RING: Colour = (90, 90, 96)
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Plane:
    """Where points of a plane lie in a square picture."""

    middle: Float32  # (2,) of what is shown
    px_per_unit: float

    def place(self, points: Float32) -> Float32:
        """Points (..., 2) in px of the picture."""
        centre = np.float32((PANEL_PX - 1) / 2)
        return (points - self.middle) * np.float32(self.px_per_unit) + centre


def fit(points: Float32, seen: Bools, span: float) -> Plane:
    """The plane whose middle is that of the points seen, scaled so that `span` fills it.

    Args:
        points: (..., 2); seen: (...).
        span: units across the picture, less its margins.
    """
    shown = points[seen]
    if len(shown) == 0:
        return Plane(np.zeros(2, np.float32), 1.0)
    middle = (shown.min(axis=0) + shown.max(axis=0)) / np.float32(2.0)
    return Plane(middle, (PANEL_PX - 1 - 2 * _MARGIN_PX) / max(span, 1e-6))


def draw_figures(
    points: Float32, seen: Bools, limbs: Sequence[tuple[int, int]], plane: Plane
) -> UInt8:
    """M people as stick figures, each in the colour of its number; who is first lies on top.

    Args:
        points: (M, K, 2); seen: (M, K).
    """
    picture = blank(PANEL_PX, PANEL_PX, GROUND)
    for person in reversed(range(len(points))):
        colour, xy = TRACKS[person % len(TRACKS)], plane.place(points[person])
        for start, end in limbs:
            if seen[person, start] and seen[person, end]:
                draw_line(picture, xy[start], xy[end], colour, 2)
        for joint in np.flatnonzero(seen[person]):
            draw_dot(picture, xy[joint], colour, 3)
    return picture


def draw_vectors(vectors: Float32, colours: Float32, longest: float) -> UInt8:
    """N vectors from the middle of the picture, those of length `longest` up to the ring.

    Args:
        vectors: (N, 2); those of length 0 are not drawn.
        colours: (N, 3).
    """
    picture = blank(PANEL_PX, PANEL_PX, GROUND)
    radius = PANEL_PX // 2 - _MARGIN_PX
    plane = Plane(np.zeros(2, np.float32), radius / max(longest, 1e-6))
    middle = plane.place(np.zeros(2, np.float32))
    cv2.circle(picture, (PANEL_PX // 2, PANEL_PX // 2), radius, _RING, 1, cv2.LINE_AA)
    for number in np.flatnonzero(vectors.any(axis=-1)):
        red, green, blue = colours[number].astype(int).tolist()
        tip = plane.place(vectors[number])
        draw_line(picture, middle, tip, (red, green, blue), 2)
        draw_dot(picture, tip, (red, green, blue), 3)
    return picture
