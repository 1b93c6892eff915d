"""Hand-written features that decide the colour and the motion: the task can be done.

From one picture and where the object is, and from clean joints, each alone. What these
could not decide would say nothing of the models.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from models_study.oracle import is_second

from appearance_study.scenes import disc
from posemill.fixtures.kinematics import Float64
from posemill.schema import UInt8
from posemill.transforms.skeletons import COCO_17

Colour = Literal["red", "blue", "grey"]
Motion = Literal["wave", "sit_down", "stand_up"]
_MARGIN = 75.0
"""Levels of 255 between red and blue: half of those of a red object."""


def colour_of(picture: UInt8, place_px: Float64) -> Colour:
    """Of the object at `place_px`, in one picture (64, 64, 3)."""
    red, _, blue = picture[disc(place_px)].mean(axis=0)
    if abs(red - blue) < _MARGIN:
        return "grey"
    return "red" if red > blue else "blue"


def motion_of(joints_px: Float64) -> Motion:
    """Of clean joints (T, 17, 2)."""
    hips, ankles = _height(joints_px, "hip"), _height(joints_px, "ankle")
    legs = hips - ankles
    if np.ptp(legs) < _SITS * np.max(legs):
        return "wave"
    return "stand_up" if is_second("sit", joints_px) else "sit_down"


_SITS = 0.15
"""Of the hips' height, the change that is no waving."""


def _height(joints_px: Float64, name: str) -> Float64:
    """(T,) px, upwards, of both sides' mean."""
    sides = [COCO_17.keypoints.index(f"{side}_{name}") for side in ("left", "right")]
    height: Float64 = -joints_px[:, sides, 1].mean(axis=1)
    return height
