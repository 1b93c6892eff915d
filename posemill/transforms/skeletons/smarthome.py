"""Toyota Smarthome's 13 joints, as LCR-Net gives them.

Order: the x, then the y, then the z of 13 joints in `pose3d`. LCR-Net names no
joints; sides and chains are those that its demo draws (display_poses with 13
joints: odd numbers left, even ones right, 12 the head), and data_gen/
smarthome_gendata.py of YangDi666/2s-AGCN-For-Daily-Living, which the data set's
page points to, agrees on shoulders (10, 11) and hips (4, 5).

Limbs: LCR-Net's ten; its two lines from head to mid-shoulders and on to
mid-hips have no joints at their ends, so the head is joined to both shoulders
and each shoulder to its hip.
"""

from __future__ import annotations

from posemill.transforms.skeletons.build import make_skeleton

SMARTHOME_13 = make_skeleton(
    "smarthome-13",
    (
        "right_ankle",
        "left_ankle",
        "right_knee",
        "left_knee",
        "right_hip",
        "left_hip",
        "right_wrist",
        "left_wrist",
        "right_elbow",
        "left_elbow",
        "right_shoulder",
        "left_shoulder",
        "head",
    ),
    (
        (11, 9),
        (9, 7),
        (5, 3),
        (3, 1),
        (10, 8),
        (8, 6),
        (4, 2),
        (2, 0),
        (4, 5),
        (10, 11),
        (12, 10),
        (12, 11),
        (10, 4),
        (11, 5),
    ),
)
