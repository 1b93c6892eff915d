"""OpenPose's two bodies.

Joints and limbs: src/openpose/pose/poseParameters.cpp of
CMU-Perceptual-Computing-Lab/openpose. The limbs lie in the order of the
network's part affinity fields, so that the fields of limb l are its channels
2 l (x) and 2 l + 1 (y): 38 of them for COCO-18 (PA3D's P), 52 for BODY_25.

OpenPose's experimental BODY_25B has 25 joints too, in COCO's order with upper
neck, head top and feet behind: not BODY_25, and its files look alike.
"""

from __future__ import annotations

from posemill.transforms.skeletons.build import make_skeleton

COCO_18 = make_skeleton(
    "coco-18",
    (
        "nose",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_eye",
        "left_eye",
        "right_ear",
        "left_ear",
    ),
    (
        (1, 8),
        (8, 9),
        (9, 10),
        (1, 11),
        (11, 12),
        (12, 13),
        (1, 2),
        (2, 3),
        (3, 4),
        (2, 16),
        (1, 5),
        (5, 6),
        (6, 7),
        (5, 17),
        (1, 0),
        (0, 14),
        (0, 15),
        (14, 16),
        (15, 17),
    ),
)

BODY_25 = make_skeleton(
    "body-25",
    (
        "nose",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "mid_hip",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_eye",
        "left_eye",
        "right_ear",
        "left_ear",
        "left_big_toe",
        "left_small_toe",
        "left_heel",
        "right_big_toe",
        "right_small_toe",
        "right_heel",
    ),
    (
        (1, 8),
        (9, 10),
        (10, 11),
        (8, 9),
        (8, 12),
        (12, 13),
        (13, 14),
        (1, 2),
        (2, 3),
        (3, 4),
        (2, 17),
        (1, 5),
        (5, 6),
        (6, 7),
        (5, 18),
        (1, 0),
        (0, 15),
        (0, 16),
        (15, 17),
        (16, 18),
        (14, 19),
        (19, 20),
        (14, 21),
        (11, 22),
        (22, 23),
        (11, 24),
    ),
)
