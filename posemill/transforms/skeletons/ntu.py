"""Kinect's bodies: NTU RGB+D (version 2, 25 joints) and N-UCLA (version 1, 20 joints).

Kinect's `head` is the middle of the head, not the nose; its `hand` is not the
wrist; version 2's `neck` lies above the shoulders' middle, which is
`spine_shoulder`.
"""

from __future__ import annotations

from posemill.transforms.skeletons.build import make_skeleton

# Order: Microsoft's JointType enumeration of the Kinect for Windows SDK 2.0.
# Limbs: each joint with the one that Matlab/show_skeleton_on_depthmaps.m of
# shahroudy/NTURGB-D connects it to, numbered by the outer joint; 24 of them.
NTU_25 = make_skeleton(
    "ntu-25",
    (
        "spine_base",
        "spine_mid",
        "neck",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "left_hand",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "right_hand",
        "left_hip",
        "left_knee",
        "left_ankle",
        "left_foot",
        "right_hip",
        "right_knee",
        "right_ankle",
        "right_foot",
        "spine_shoulder",
        "left_hand_tip",
        "left_thumb",
        "right_hand_tip",
        "right_thumb",
    ),
    (
        (0, 1),
        (20, 2),
        (2, 3),
        (20, 4),
        (4, 5),
        (5, 6),
        (6, 7),
        (20, 8),
        (8, 9),
        (9, 10),
        (10, 11),
        (0, 12),
        (12, 13),
        (13, 14),
        (14, 15),
        (0, 16),
        (16, 17),
        (17, 18),
        (18, 19),
        (1, 20),
        (7, 21),
        (7, 22),
        (11, 23),
        (11, 24),
    ),
)

# Order: the NUI_SKELETON_POSITION_INDEX enumeration of the Kinect SDK 1; its
# SPINE is the spine's middle, so it is called as in version 2. Limbs: the 19 of
# that enumeration's hierarchy, the same as in graph/ucla.py of Uason-Chen/CTR-GCN.
NUCLA_20 = make_skeleton(
    "nucla-20",
    (
        "hip_center",
        "spine_mid",
        "shoulder_center",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "left_hand",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "right_hand",
        "left_hip",
        "left_knee",
        "left_ankle",
        "left_foot",
        "right_hip",
        "right_knee",
        "right_ankle",
        "right_foot",
    ),
    (
        (0, 1),
        (1, 2),
        (2, 3),
        (2, 4),
        (4, 5),
        (5, 6),
        (6, 7),
        (2, 8),
        (8, 9),
        (9, 10),
        (10, 11),
        (0, 12),
        (12, 13),
        (13, 14),
        (14, 15),
        (0, 16),
        (16, 17),
        (17, 18),
        (18, 19),
    ),
)
