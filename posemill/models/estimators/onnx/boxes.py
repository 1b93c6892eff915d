"""Boxes around people: their overlap, and which of several around one person to keep."""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Int64


def overlaps(box: Float32, others: Float32) -> Float32:
    """Intersection over union of one box (4,) with others (N, 4): (N,) in [0, 1].

    Boxes are left, top, right and bottom; one without an area overlaps nothing.
    """
    corner = np.maximum(box[:2], others[:, :2])
    size = np.maximum(np.minimum(box[2:], others[:, 2:]) - corner, 0)
    shared = size[:, 0] * size[:, 1]
    union = _area(box) + _area(others) - shared
    return np.asarray(np.where(shared > 0, shared / np.maximum(union, 1e-12), 0), np.float32)


def suppress(boxes: Float32, score: Float32, max_overlap: float) -> Int64:
    """Greedy non-maximum suppression: positions of the boxes to keep, best first.

    The best box stays and removes those that overlap it by more than `max_overlap`; the
    best of the rest stays, and so on. Of equal scores the earlier one is the better.
    """
    waiting = np.argsort(-score, kind="stable")
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        waiting = waiting[overlaps(boxes[best], boxes[waiting]) <= max_overlap]
    return np.array(kept, np.int64)


def _area(boxes: Float32) -> Float32:
    size = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return np.asarray(size[..., 0] * size[..., 1], np.float32)
