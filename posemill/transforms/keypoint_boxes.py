"""Boxes around people's joints, and how far two boxes overlap."""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32


def keypoint_boxes(xy_px: Float32, score: Float32) -> Float32:
    """Left, top, right and bottom (N, 4) of the detected joints of N people.

    `xy_px` (N, K, 2) and `score` (N, K). From joint to joint, so somebody of whom
    one joint is seen has a box without area; where none is, it is all zeros.
    """
    seen = (score > 0)[..., None]
    low = np.where(seen, xy_px, np.inf).min(axis=1)
    high = np.where(seen, xy_px, -np.inf).max(axis=1)
    boxes = np.concatenate([low, high], axis=1)
    return np.where(seen.any(axis=1), boxes, 0.0).astype(np.float32)


def box_area(boxes: Float32) -> Float32:
    """(...) of boxes (..., 4) of left, top, right and bottom; 0 where an edge is past the other."""
    return np.asarray(np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(axis=-1), np.float32)


def iou_matrix(boxes: Float32, others: Float32) -> Float32:
    """Intersection over union (N, M) of N boxes (N, 4) with M others; 0 where there is no area."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = box_area(np.concatenate([low, high], axis=-1))
    union = box_area(boxes)[:, None] + box_area(others)[None] - shared
    overlap = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return np.asarray(overlap, np.float32)
