"""Where joints land: boxes of the frame, the sizes of pictures of them, and the way between.

Pixel centres lie on integers, so pixel i covers [i - 1/2, i + 1/2] and a
picture of width W covers [-1/2, W - 1/2]. Scaling by s maps x to
(x + 1/2) s - 1/2. No function changes its arguments, and none looks at a score
except to leave joints out: what is missing stays missing.
"""

from posemill.transforms.geometry.boxes import (
    Box,
    centre_box,
    centre_crop_box,
    flip_box,
    frame_box,
    random_crop_box,
    random_resized_box,
    scale_box,
    square_box,
)
from posemill.transforms.geometry.joints import flip_joints, map_to
from posemill.transforms.geometry.sizes import fit_canvas, short_side_hw
from posemill.transforms.geometry.subject import subject_box

__all__ = [
    "Box",
    "centre_box",
    "centre_crop_box",
    "fit_canvas",
    "flip_box",
    "flip_joints",
    "frame_box",
    "map_to",
    "random_crop_box",
    "random_resized_box",
    "scale_box",
    "short_side_hw",
    "square_box",
    "subject_box",
]
