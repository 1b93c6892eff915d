"""PARNet's 14 joints and its five body parts (figure 2 of the paper).

OpenPose's COCO order without eyes and ears, the face's point last but one.
`head` is the nose where the estimator has no head.
"""

from __future__ import annotations

from posemill.schema import Part
from posemill.transforms.skeletons.build import make_skeleton

PARNET_14 = make_skeleton(
    "parnet-14",
    (
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
        "head",
        "neck",
    ),
    (
        (13, 12),
        (13, 0),
        (0, 1),
        (1, 2),
        (13, 3),
        (3, 4),
        (4, 5),
        (13, 6),
        (6, 7),
        (7, 8),
        (13, 9),
        (9, 10),
        (10, 11),
    ),
)

PARNET_PARTS = (
    Part("left_arm", (3, 4, 5)),
    Part("right_arm", (0, 1, 2)),
    Part("left_leg", (9, 10, 11)),
    Part("right_leg", (6, 7, 8)),
    Part("body", (12, 13, 0, 3)),
)
"""Joint numbers that the multi-pose encoding layer (equations 11 and 12) takes
together, in the order in which it joins their features; the shoulders are in two."""
