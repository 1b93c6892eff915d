"""Rectangles of a frame, and those that are cut out of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from posemill.transforms.arguments import (
    counts,
    height_width,
    positive,
    real_number,
    rising_range,
)

Range = tuple[float, float]

AREA: Range = (0.56, 1.0)
RATIO: Range = (3 / 4, 4 / 3)
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the frame, in px; `left` and `top` are edges, not pixel centres.

    Raises:
        ValueError: it has no area, or is not finite.
    """

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        for name in ("left", "top", "width", "height"):
            real_number(name, getattr(self, name))
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"a box of {self.width} x {self.height} px has no area")
        if not all(map(math.isfinite, (self.left, self.top, self.width, self.height))):
            raise ValueError(f"a box must be finite, got {self}")

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height


def frame_box(width: int, height: int) -> Box:
    """All of a frame of `width` x `height` px."""
    return Box(left=-0.5, top=-0.5, width=float(width), height=float(height))


def flip_box(box: Box, width: float) -> Box:
    """Where `box` lies once the frame, `width` px wide, is mirrored.

    Flipping joints about the frame and showing the flipped box gives the
    mirror image of the picture that shows `box`.

    Raises:
        ValueError: a width that is no number above 0.
    """
    positive("width", width)
    right = box.left + box.width
    return Box(left=width - 1.0 - right, top=box.top, width=box.width, height=box.height)


def scale_box(box: Box, width: int, height: int, size_hw: tuple[int, int]) -> Box:
    """`box` of a frame of `width` x `height` px, in px of a picture of `size_hw` that shows it all.

    Raises:
        ValueError: a frame or a size without area.
    """
    width, height = counts(width=width, height=height)
    picture_height, picture_width = height_width("size_hw", size_hw)
    across, down = picture_width / width, picture_height / height
    return Box(
        left=(box.left + 0.5) * across - 0.5,
        top=(box.top + 0.5) * down - 0.5,
        width=box.width * across,
        height=box.height * down,
    )


def square_box(box: Box) -> Box:
    """The least square around `box`, of the same centre."""
    side = max(box.width, box.height)
    return Box(
        left=box.left - (side - box.width) / 2.0,
        top=box.top - (side - box.height) / 2.0,
        width=side,
        height=side,
    )


def centre_box(box: Box, aspect: float) -> Box:
    """The largest part of `box` around its centre of which width / height is `aspect`.

    Raises:
        ValueError: an aspect that is not a positive number.
    """
    positive("aspect", aspect)
    width = min(box.width, box.height * aspect)
    height = min(box.height, box.width / aspect)
    return Box(
        left=box.left + (box.width - width) / 2.0,
        top=box.top + (box.height - height) / 2.0,
        width=width,
        height=height,
    )


def random_resized_box(
    box: Box, rng: np.random.Generator, *, area: Range = AREA, ratio: Range = RATIO
) -> Box:
    """A part of `box` at random, as PoseConv3D cuts its training pictures (its published code).

    Its area is a uniform fraction of the box's, its width / height is uniform
    in the logarithm, and it lies anywhere inside, at a resolution finer than a
    pixel. The first of ten such sizes that fits is taken. If none does, it is
    the largest centred part whose ratio is allowed: the box itself where it is
    square.

    Args:
        box: to stay inside.
        rng: the only source of randomness.
        area: least and greatest fraction of the box's area.
        ratio: least and greatest width / height, of the part and not relative
            to the box, so that stretching it to a square distorts it no more.

    Raises:
        ValueError: a range that is empty or not positive, or an area above 1.
    """
    area = rising_range("area", area, greatest=1.0)
    ratio = rising_range("ratio", ratio)
    areas = rng.uniform(*area, size=_TRIES) * (box.width * box.height)
    ratios = np.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1]), size=_TRIES))
    widths, heights = np.sqrt(areas * ratios), np.sqrt(areas / ratios)
    fitting = np.flatnonzero((widths <= box.width) & (heights <= box.height))
    if len(fitting) == 0:
        return centre_box(box, min(max(box.aspect, ratio[0]), ratio[1]))
    width, height = float(widths[fitting[0]]), float(heights[fitting[0]])
    across, down = (float(place) for place in rng.random(2))
    return Box(
        left=box.left + across * (box.width - width),
        top=box.top + down * (box.height - height),
        width=width,
        height=height,
    )


def random_crop_box(width: int, height: int, size: int, rng: np.random.Generator) -> Box:
    """A square of `size` px at random on whole pixels of a picture of `width` x `height` px.

    PARNet, section IV: pictures of which the short side is 256, squares of 224.

    Raises:
        ValueError: a size below 1 or above the picture's short side, or no integer.
    """
    width, height, size = _checked_crop(width, height, size)
    left, top = (int(rng.integers(room + 1)) for room in (width - size, height - size))
    return _square(left, top, size)


def centre_crop_box(width: int, height: int, size: int) -> Box:
    """As `random_crop_box`, from the middle; half a pixel further left or up where need be."""
    width, height, size = _checked_crop(width, height, size)
    return _square((width - size) // 2, (height - size) // 2, size)


def _square(left: int, top: int, size: int) -> Box:
    return Box(left=left - 0.5, top=top - 0.5, width=float(size), height=float(size))


def _checked_crop(width: int, height: int, size: int) -> tuple[int, ...]:
    sides = counts(width=width, height=height, size=size)
    if size > min(width, height):
        raise ValueError(
            f"size must be from 1 to the short side of {width} x {height} px, got {size}"
        )
    return sides
