"""JHMDB's 15 joints, the puppet of its annotations.

Order: `pos_img` of joint_positions.mat, as in configs/_base_/datasets/jhmdb.py
of open-mmlab/mmpose.
"""

from __future__ import annotations

from posemill.transforms.skeletons.build import make_skeleton

JHMDB_15 = make_skeleton(
    "jhmdb-15",
    (
        "neck",
        "belly",
        "head",
        "right_shoulder",
        "left_shoulder",
        "right_hip",
        "left_hip",
        "right_elbow",
        "left_elbow",
        "right_knee",
        "left_knee",
        "right_wrist",
        "left_wrist",
        "right_ankle",
        "left_ankle",
    ),
    (
        (0, 2),
        (0, 1),
        (0, 3),
        (0, 4),
        (3, 7),
        (4, 8),
        (7, 11),
        (8, 12),
        (1, 5),
        (1, 6),
        (5, 9),
        (6, 10),
        (9, 13),
        (10, 14),
    ),
)
