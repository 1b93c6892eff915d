"""What an estimator does to joints: jitter, outliers, joints lost, sides swapped, scores.

Sizes are in units of the person's height in px.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posemill.fixtures.kinematics import Float64
from posemill.transforms.skeletons import COCO_17

_MIRROR = np.array(COCO_17.mirror)


@dataclass(frozen=True, slots=True)
class Noise:
    """How badly people are seen."""

    jitter: float = 0.03
    """Standard deviation of a joint's error, by x and by y, in heights."""
    memory: float = 0.8
    """Correlation of the errors of consecutive frames: AR(1)."""
    outliers: float = 0.015
    """Probability that a joint of a frame is somewhere in the person's box instead."""
    loses_joint: float = 0.3
    """Probability that a person loses one joint, for up to `lost_share` of the clip on end."""
    lost_share: float = 1 / 3
    swaps: float = 0.03
    """Probability that all left and right joints of a frame are exchanged."""


def observe(
    rng: np.random.Generator, clean_xy_px: Float64, height_px: float, noise: Noise
) -> tuple[Float64, Float64]:
    """Joints (T, 17, 2) as seen, and their scores (T, 17); a lost joint has score 0."""
    xy_px = clean_xy_px + noise.jitter * height_px * _ar1(rng, clean_xy_px.shape, noise.memory)
    score = _scores(rng, xy_px.shape[:2])
    wrong = rng.random(score.shape) < noise.outliers
    low, high = clean_xy_px.min(axis=(0, 1)), clean_xy_px.max(axis=(0, 1))
    xy_px[wrong] = rng.uniform(low, high, xy_px.shape)[wrong]
    swapped = rng.random(len(xy_px)) < noise.swaps
    xy_px[swapped], score[swapped] = xy_px[swapped][:, _MIRROR], score[swapped][:, _MIRROR]
    score[_lost(rng, score.shape, noise)] = 0.0
    return xy_px, score


def _ar1(rng: np.random.Generator, shape: tuple[int, ...], memory: float) -> Float64:
    """Stationary noise of variance 1, correlated along the first axis."""
    drawn = rng.normal(size=shape)
    drawn[1:] *= np.sqrt(1.0 - memory**2)
    for frame in range(1, len(drawn)):
        drawn[frame] += memory * drawn[frame - 1]
    return drawn


def _scores(rng: np.random.Generator, shape: tuple[int, int]) -> Float64:
    """(T, 17) in [0.3, 1]: a level for each joint, and a little noise."""
    return np.clip(rng.uniform(0.6, 1.0, shape[1]) + rng.normal(0.0, 0.05, shape), 0.3, 1.0)


def _lost(rng: np.random.Generator, shape: tuple[int, ...], noise: Noise) -> npt.NDArray[np.bool_]:
    """(T, 17): one joint over a span of frames, or none."""
    num_frames, num_joints = shape
    lost = np.zeros(shape, np.bool_)
    joint, length = rng.integers(num_joints), int(num_frames * rng.uniform(0.0, noise.lost_share))
    start = rng.integers(num_frames - length + 1)
    lost[start : start + length, joint] = rng.random() < noise.loses_joint
    return lost
