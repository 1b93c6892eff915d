"""The skeletons that files of any joints may be said to have."""

from __future__ import annotations

from typing import Literal

JointsName = Literal[
    "coco-17", "ntu-25", "coco-18", "body-25", "nucla-20", "jhmdb-15", "penn-13", "smarthome-13"
]
