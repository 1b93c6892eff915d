"""Numbers the tracks of a finished video anew, those first that matter most.

    weight = score * size * duration

    score     mean over the track's rows of the mean score of all K joints,
              0 for those that are not detected
    size      mean over the track's rows of sqrt(box area / frame area), the box
              being the one around the detected joints: so who is twice as tall
              counts twice, not four times
    duration  the number of frames in which the track has a row

All three are taken over the whole video. A passer-by near the camera thus comes
after somebody smaller who is there throughout.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from posemill.schema import PoseSequence
from posemill.transforms.keypoint_boxes import box_area, keypoint_boxes
from posemill.transforms.people import keep_rows

Weights = npt.NDArray[np.float64]  # (T,) of T tracks


def ranked(pose: PoseSequence, max_persons: int | None = None) -> PoseSequence:
    """`pose` with its tracks numbered 0, 1, ... by falling weight, and rows in that order.

    Equal weights keep the order of their numbers. Of `max_persons` tracks the rows
    are kept, of all where it is None.

    Raises:
        ValueError: `max_persons` below 1.
    """
    if max_persons is not None and max_persons < 1:
        raise ValueError(f"max_persons must be 1 or more, got {max_persons}")
    slots, track = np.unique(pose.slot, return_inverse=True)
    by_weight = np.argsort(-track_weights(pose), kind="stable")
    rank = np.empty(len(slots), np.int64)
    rank[by_weight] = np.arange(len(slots))
    slot = rank[track]
    rows = np.lexsort((slot, pose.frame))
    if max_persons is not None:
        rows = rows[slot[rows] < max_persons]
    numbered = replace(pose, slot=slot)
    unmoved = np.array_equal(rows, np.arange(len(slot)))
    return numbered if unmoved else keep_rows(numbered, rows)


def track_weights(pose: PoseSequence) -> Weights:
    """Score x size x duration of each track, in the order of their numbers."""
    slots, track = np.unique(pose.slot, return_inverse=True)
    duration = np.bincount(track, minlength=len(slots))
    area = box_area(keypoint_boxes(pose.xy_px, pose.score)).astype(np.float64)
    size = np.sqrt(area / (pose.width * pose.height))
    score = pose.score.mean(axis=1, dtype=np.float64)
    means = [np.bincount(track, values, len(slots)) / duration for values in (score, size)]
    return np.asarray(means[0] * means[1] * duration, np.float64)
