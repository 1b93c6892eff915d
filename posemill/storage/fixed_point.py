"""Joints as three 16-bit numbers: x, y in 1/16 px and a score in 1/255."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32

UInt16 = npt.NDArray[np.uint16]

STEP_PX = 1.0 / 16.0
OFFSET_STEPS = 4096
_MAX_STEPS = 65535
SCORE_STEPS = 255


def step_px(width: int, height: int) -> float:
    """The step for frames of this size: 1/16 px, doubled until all of the frame fits.

    A step s spans [-4096 s, 61439 s] px: -256 .. 3839.9 px for 1/16.
    """
    step = STEP_PX
    while max(width, height) - 1 > (_MAX_STEPS - OFFSET_STEPS) * step:
        step *= 2.0
    return step


def quantise(xy_px: Float32, score: Float32, step: float) -> UInt16:
    """(P, K, 2) pixels and (P, K) scores to (P, K, 3) numbers.

    x, y are off by at most `step` / 2; beyond the span of the step they stop
    at its end. A detected joint's score is at least 1, so that it never turns
    into a missing one; a missing joint is (0, 0, 0).
    """
    detected = score > 0
    steps = np.rint(np.where(detected[..., None], xy_px, 0).astype(np.float64) / step)
    triplets = np.empty((*score.shape, 3), np.uint16)
    triplets[..., :2] = np.clip(steps + OFFSET_STEPS, 0, _MAX_STEPS)
    triplets[..., 2] = np.maximum(1, np.rint(score.astype(np.float64) * SCORE_STEPS))
    triplets[~detected] = 0
    return triplets


def dequantise(triplets: UInt16, step: float, offset_steps: float) -> tuple[Float32, Float32]:
    """(P, K, 3) numbers to pixels (P, K, 2), 0 where nothing was detected, and scores (P, K)."""
    raw_score = triplets[..., 2]
    xy_px = (triplets[..., :2].astype(np.float32) - np.float32(offset_steps)) * np.float32(step)
    xy_px[raw_score == 0] = 0
    return xy_px, raw_score.astype(np.float32) / np.float32(SCORE_STEPS)
