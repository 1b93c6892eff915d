"""COCO's 17 joints, alone and with JMRN's neck, and the constants of their OKS.

Order of the joints: categories of the COCO keypoint annotations
(cocodataset.org/#keypoints-2020).
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32
from posemill.transforms.skeletons.build import make_skeleton

_JOINTS = (
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
)
# The 17 limbs of PoseConv3D (section C.1 of the paper, order of its code).
_LIMBS = (
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
)

COCO_17 = make_skeleton("coco-17", _JOINTS, _LIMBS)

# JMRN's 18 joints: COCO's order, then the middle of the shoulders. Its limbs
# are COCO's 17 and the three that meet in the neck.
COCO_17_NECK = make_skeleton(
    "coco-17-neck", (*_JOINTS, "neck"), (*_LIMBS, (17, 0), (17, 5), (17, 6))
)

# Per-joint falloff of the object keypoint similarity, k_i = 2 sigma_i, from the
# COCO keypoint evaluation (cocodataset.org/#keypoints-eval).
COCO_17_OKS_SIGMAS: Float32 = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89], dtype=np.float32
) / np.float32(1000)
