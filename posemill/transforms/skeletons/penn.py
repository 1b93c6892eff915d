"""Penn Action's 13 joints.

Order: columns of `x` and `y` in labels/NNNN.mat, as the "List of Annotated Joints" of the
data set's page, dreamdragon.github.io/PennAction, numbers them. One reader
(akanazawa/human_dynamics) takes the right side first instead.
"""

from __future__ import annotations

from posemill.transforms.skeletons.build import make_skeleton

PENN_13 = make_skeleton(
    "penn-13",
    (
        "head",
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
    (
        (0, 1),
        (0, 2),
        (1, 2),
        (1, 3),
        (3, 5),
        (2, 4),
        (4, 6),
        (1, 7),
        (2, 8),
        (7, 8),
        (7, 9),
        (9, 11),
        (8, 10),
        (10, 12),
    ),
)
