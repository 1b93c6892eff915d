"""Triplets as steps along the tracks, which compress far better than the triplets themselves.

A video's rows lie one track after the other. A row is stored as what changed
since the row before it in its video, the first as what changed since zeros,
modulo 2^16 and raised by `STEP_ZERO`, so that small changes of either sign
share one high byte. A running sum gives the triplets back, bit for bit::

    triplets = np.cumsum(steps - STEP_ZERO, axis=0, dtype="uint16")

The coordinates of a joint that was not detected (score 0) mean nothing; they
are stored as those of the same joint in the row before, which costs least.
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Int64, PoseSequence
from posemill.storage.fixed_point import SCORE_STEPS, UInt16, quantise, step_px
from posemill.transforms.compiled import compiled

STEP_ZERO = 128
_ROWS_AT_ONCE = 8192  # so that what is needed on the way does not grow with the video
_SCORE_STEPS = np.float32(SCORE_STEPS)
_NOWHERE = np.float32(0)


def track_order(pose: PoseSequence) -> Int64:
    """(P,) the rows of `pose` by track, and by frame within a track."""
    return np.lexsort((pose.frame, pose.slot)).astype(np.int64, copy=False)


def write_steps(pose: PoseSequence, order: Int64, steps: UInt16) -> None:
    """Fill `steps` (P, K, 3) by what is stored of a video; `order` is `track_order(pose)`."""
    step = step_px(pose.width, pose.height)
    before = np.zeros((1, *steps.shape[1:]), np.uint16)
    for start in range(0, len(order), _ROWS_AT_ONCE):
        rows = order[start : start + _ROWS_AT_ONCE]
        triplets = quantise(pose.xy_px[rows], pose.score[rows], step)
        held = _hold(np.concatenate([before, triplets]))
        part = steps[start : start + _ROWS_AT_ONCE]
        np.subtract(held[1:], held[:-1], out=part)
        part += np.uint16(STEP_ZERO)
        before = held[-1:]


def decode_steps(
    steps: UInt16, places: Int64, step_px: float, offset_steps: float
) -> tuple[Float32, Float32]:
    """Pixels (P, K, 2), 0 where nothing was detected, and scores (P, K).

    Row i of `steps` (P, K, 3) becomes row `places[i]`, each place once. The same
    numbers as a running sum and `fixed_point.dequantise` give, in one pass.
    """
    num_rows, num_keypoints, _ = steps.shape
    xy_px = np.empty((num_rows, num_keypoints, 2), np.float32)
    score = np.empty((num_rows, num_keypoints), np.float32)
    _decode(steps, places, np.float32(step_px), np.float32(offset_steps), xy_px, score)
    return xy_px, score


def _hold(triplets: UInt16) -> UInt16:
    """The same with a missing joint's coordinates as in the row before; the first row stays."""
    row = np.arange(len(triplets))[:, None]
    last_seen = np.maximum.accumulate(np.where(triplets[..., 2] > 0, row, 0), axis=0)
    held = triplets.copy()
    held[..., :2] = np.take_along_axis(triplets[..., :2], last_seen[..., None], axis=0)
    return held


@compiled
def _decode(steps, places, step_px, offset_steps, xy_px, score):  # type: ignore[no-untyped-def]
    num_rows, num_keypoints = score.shape
    sums = np.zeros((num_keypoints, 3), np.uint16)
    for i in range(num_rows):
        place = places[i]
        for k in range(num_keypoints):
            for part in range(3):
                sums[k, part] += np.uint16(steps[i, k, part] - STEP_ZERO)
            for axis in range(2):
                px = (np.float32(sums[k, axis]) - offset_steps) * step_px
                xy_px[place, k, axis] = px if sums[k, 2] > 0 else _NOWHERE
            score[place, k] = np.float32(sums[k, 2]) / _SCORE_STEPS
