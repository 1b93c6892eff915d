"""The uncropped canvas: the whole frame, scaled to fit, at the top left; cropped at load."""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, PoseSequence
from posemill.transforms.geometry import fit_canvas, frame_box, map_to
from posemill.transforms.outputs import OutputSpec

VALID_HW = OutputSpec(
    name="valid_hw",
    dims=("side",),
    shape=(2,),
    dtype="int16",
    description="height and width, px, of the part of the maps that shows the frame",
)


def place_on_canvas(pose: PoseSequence, canvas_hw: tuple[int, int]) -> tuple[Float32, Float32]:
    """Joints (P, K, 2) in px of the canvas, and the canvas' valid height and width, (2,) int16."""
    valid_hw = fit_canvas(pose.width, pose.height, canvas_hw)
    xy = map_to(pose.xy_px, frame_box(pose.width, pose.height), valid_hw)
    return xy, np.array(valid_hw, np.int16)
