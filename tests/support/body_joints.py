"""Somebody's joints where a body has them, in the order of any skeleton, for files of poses."""

from __future__ import annotations

import numpy as np

_AT = {
    "nose": (0, 0), "eye": (4, -4), "ear": (8, -2), "neck": (0, 20), "shoulder": (18, 20),
    "elbow": (26, 48), "wrist": (30, 72), "hip": (12, 80), "mid_hip": (0, 80), "knee": (14, 120),
    "ankle": (14, 160), "big_toe": (18, 168), "small_toe": (22, 166), "heel": (12, 166),
    "upper_neck": (0, 14), "head_top": (0, -14), "head": (0, -14),
}  # fmt: skip


def body(names: tuple[str, ...], x: float = 100.0, y: float = 100.0, c: float = 0.5) -> np.ndarray:
    """(K, 3) x, y and c of somebody who looks at the camera, the nose at (x, y) px."""
    joints = []
    for name in names:
        side, _, kind = name.partition("_")
        aside = {"left": 1, "right": -1}.get(side)
        across, down = _AT[name if aside is None else kind]
        joints.append((x + across * (aside or 0), y + down, c))
    return np.array(joints)
