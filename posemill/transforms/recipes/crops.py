"""Squares of pictures: at random of those scaled to a short side, and around the people.

Whole pictures are kept on a canvas, to be cropped at load. A short side of 256 and
crops of 224 are PARNet's (section IV).
"""

from __future__ import annotations

import numpy as np

from posemill.errors import InputError
from posemill.schema import Int64, PoseSequence, UInt8
from posemill.transforms.clips import gather_frames
from posemill.transforms.geometry import (
    Box,
    centre_crop_box,
    fit_canvas,
    random_crop_box,
    scale_box,
    short_side_hw,
    square_box,
    subject_box,
)

CANVAS_HW = (256, 456)
"""Shows 16:9 at a short side of 256."""
CANVAS_MEANING = (
    "height and width of the canvas that keeps pictures whole, with draw=cache; upright ones are "
    "shrunk to fit, 456,456 keeps their short side"
)


def check_crop(recipe: str, crop: int, short_side: int) -> None:
    """Raise InputError unless a crop of `crop` px fits pictures of that short side."""
    if crop > short_side:
        raise InputError(
            f"recipe {recipe}: crop must be at most short_side={short_side} px, got "
            f"{crop}; the nearest is --set crop={short_side}"
        )


def canvas_part(
    width: int, height: int, short_side: int, canvas_hw: tuple[int, int]
) -> tuple[int, int]:
    """Height and width, px, of a frame on the canvas: at its short side, or shrunk to fit."""
    size = short_side_hw(width, height, short_side)
    if size[0] <= canvas_hw[0] and size[1] <= canvas_hw[1]:
        return size
    return fit_canvas(width, height, canvas_hw)


def put_on_canvas(pictures: UInt8, canvas_hw: tuple[int, int]) -> UInt8:
    """Pictures (..., h, w, 3) at the top left of black canvases (..., H, W, 3)."""
    *before, height, width, _ = pictures.shape
    if (height, width) == canvas_hw:
        return pictures
    out = np.zeros((*before, *canvas_hw, 3), np.uint8)
    out[..., :height, :width, :] = pictures
    return out


def crop_box(
    picture_hw: tuple[int, int], short_side: int, crop: int, rng: np.random.Generator | None
) -> Box:
    """A square of `crop` px of a picture at its short side: at random, or without a generator its
    middle.

    Of a picture that was shrunk to fit a canvas it is the square that shows the same.

    Args:
        picture_hw: of the picture.

    Returns:
        the square in px of the picture.
    """
    height, width = picture_hw
    full_height, full_width = short_side_hw(width, height, short_side)
    if rng is None:
        box = centre_crop_box(full_width, full_height, crop)
    else:
        box = random_crop_box(full_width, full_height, crop, rng)
    return scale_box(box, full_width, full_height, picture_hw)


def clip_box(pose: PoseSequence, frames: Int64) -> Box:
    """The square around all people in frames (F,), see `subject_box`.

    Where they do not give one, it is the square around the whole frame, which is
    not distorted so.
    """
    rows, _ = gather_frames(pose.frame_ptr, frames)
    box = subject_box(pose.xy_px[rows], pose.score[rows], pose.width, pose.height)
    return square_box(box)
