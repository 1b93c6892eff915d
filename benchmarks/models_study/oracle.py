"""Hand-written features that decide every pair on clean joints: the task can be done.

Given which pair a clip is of, from the joints (T, 17, 2) in px alone. A pair
that these could not decide would say nothing of the models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from posemill.fixtures.kinematics import Float64
from posemill.transforms.skeletons import COCO_17

_JOINTS = COCO_17.keypoints


def is_second(pair: str, xy_px: Float64) -> bool:
    """Whether a clean clip of `pair` shows its second class."""
    return _DECISIONS[pair](xy_px)


def _sit(xy_px: Float64) -> bool:
    """Stand up: the hips end higher above the ankles than they began."""
    height, edge = _hip_height(xy_px), max(len(xy_px) // 6, 1)
    return bool(height[-edge:].mean() > height[:edge].mean())


def _order(xy_px: Float64) -> bool:
    """Kick first: the higher ankle is up before the higher wrist is."""
    wrist = np.max([_up(xy_px, f"{side}_wrist", f"{side}_shoulder") for side in _SIDES], axis=0)
    ankles = _up(xy_px, "left_ankle", "right_ankle")
    kick = np.abs(ankles - np.median(ankles))
    return bool(kick.argmax() < wrist.argmax())


def _wave(xy_px: Float64) -> bool:
    """Sway: the upper arm turns more than the elbow bends."""
    side = _acting_side(xy_px)
    upper = _direction(xy_px, f"{side}_shoulder", f"{side}_elbow")
    fore = _direction(xy_px, f"{side}_elbow", f"{side}_wrist")
    return bool(np.ptp(upper) > np.ptp(np.unwrap(fore - upper)))


def _squat(xy_px: Float64) -> bool:
    return _lows(_hip_height(xy_px)) > 3


def _pump(xy_px: Float64) -> bool:
    side = _acting_side(xy_px)
    return _lows(-_up(xy_px, f"{side}_wrist", f"{side}_shoulder")) > 3


def _hold(xy_px: Float64) -> bool:
    """Oscillate: an arm's direction changes by more than sway does."""
    side = _acting_side(xy_px)
    return bool(np.std(_direction(xy_px, f"{side}_shoulder", f"{side}_wrist")) > np.radians(6.0))


_SIDES = ("left", "right")
_DECISIONS: Mapping[str, Callable[[Float64], bool]] = MappingProxyType(
    {
        "sit": _sit,
        "order": _order,
        "wave": _wave,
        "squat": _squat,
        "pump": _pump,
        "hold": _hold,
    }
)


def _joint(xy_px: Float64, name: str) -> Float64:
    return xy_px[:, _JOINTS.index(name)]


def _up(xy_px: Float64, joint: str, above: str) -> Float64:
    """(T,) px by which a joint is above another one."""
    return (_joint(xy_px, above) - _joint(xy_px, joint))[:, 1]


def _hip_height(xy_px: Float64) -> Float64:
    left, right = (_up(xy_px, f"{side}_hip", f"{side}_ankle") for side in _SIDES)
    return (left + right) / 2


def _direction(xy_px: Float64, start: str, end: str) -> Float64:
    """(T,) radians, without jumps."""
    along = _joint(xy_px, end) - _joint(xy_px, start)
    return np.unwrap(np.arctan2(along[:, 1], along[:, 0]))


def _acting_side(xy_px: Float64) -> str:
    """Of the arm whose wrist is the higher one, on average."""
    left, right = (_up(xy_px, f"{side}_wrist", f"{side}_hip").mean() for side in _SIDES)
    return "left" if left > right else "right"


def _lows(values: Float64) -> int:
    """How often values fall through the middle of their range, after having been well above it."""
    level = (values - values.min()) / np.ptp(values)
    count, armed = 0, True
    for value in level:
        if armed and value < 0.4:
            count, armed = count + 1, False
        armed = armed or value > 0.6
    return count
