"""Skeletons as data: joint names, limbs, mirror pairs, part groups, OKS constants."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from posemill.errors import InputError
from posemill.schema import Float32, Skeleton

COCO_17 = Skeleton(
    name="coco-17",
    keypoints=(
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    # The 17 limbs of PoseConv3D (section C.1 of the paper, order of its code).
    limbs=(
        (0, 5),
        (0, 6),
        (5, 7),
        (7, 9),
        (6, 8),
        (8, 10),
        (5, 11),
        (11, 13),
        (13, 15),
        (6, 12),
        (12, 14),
        (14, 16),
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 4),
        (11, 12),
    ),
    mirror=(0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15),
)

SKELETONS = MappingProxyType({COCO_17.name: COCO_17})

# Per-joint falloff of the object keypoint similarity, k_i = 2 sigma_i, from the
# COCO keypoint evaluation (cocodataset.org/#keypoints-eval).
COCO_17_OKS_SIGMAS: Float32 = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89], dtype=np.float32
) / np.float32(1000)


def get_skeleton(name: str) -> Skeleton:
    """The skeleton called `name`.

    Raises:
        InputError: no skeleton has that name.
    """
    if name not in SKELETONS:
        raise InputError(f"no skeleton is called {name!r}; there are: {', '.join(SKELETONS)}")
    return SKELETONS[name]
