"""Object keypoint similarity (OKS), after the COCO keypoint evaluation.

    OKS = mean over joints i of exp(-d_i^2 / (2 a k_i^2)),  k_i = 2 sigma_i

with d_i the distance between two joints in pixels and a the person's area in
square pixels (cocodataset.org/#keypoints-eval).
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32
from posemill.transforms.keypoint_boxes import keypoint_boxes
from posemill.transforms.skeletons import COCO_17_OKS_SIGMAS

# A box around the joints alone is larger than a COCO segment's area by about this.
AREA_PER_BOX = np.float32(0.53)


def keypoint_area_px2(xy_px: Float32, score: Float32) -> Float32:
    """Estimated body area (N,) of N people from the box around their detected joints."""
    boxes = keypoint_boxes(xy_px, score)
    extent = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    return np.asarray(extent.prod(axis=1) * AREA_PER_BOX, np.float32)


def oks_sigmas(num_keypoints: int) -> Float32:
    """COCO's for its 17 joints; for another skeleton their mean, for each of its joints."""
    if num_keypoints == len(COCO_17_OKS_SIGMAS):
        return COCO_17_OKS_SIGMAS
    return np.full(num_keypoints, COCO_17_OKS_SIGMAS.mean(), np.float32)


def oks_matrix(
    reference_xy_px: Float32,
    reference_score: Float32,
    other_xy_px: Float32,
    other_score: Float32,
    area_px2: Float32 | None = None,
    sigmas: Float32 = COCO_17_OKS_SIGMAS,
) -> Float32:
    """Similarity (N, M) of N reference people to M others.

    The mean runs over the joints that the reference has (score > 0), as in
    COCO; a joint that the other lacks counts 0. `area_px2` (N,) defaults to
    `keypoint_area_px2` of the reference.
    """
    area = keypoint_area_px2(reference_xy_px, reference_score) if area_px2 is None else area_px2
    wanted = reference_score > 0  # (N, K)
    counted = wanted[:, None] & (other_score > 0)[None]  # (N, M, K)
    # Joints that are not detected may hold anything, infinities too.
    reference = np.where(wanted[..., None], reference_xy_px, 0.0)
    other = np.where((other_score > 0)[..., None], other_xy_px, 0.0)
    squared = ((reference[:, None] - other[None]) ** 2).sum(axis=-1)
    falloff = np.exp(-squared / (2.0 * area[:, None, None] * (2.0 * sigmas) ** 2))
    total = np.where(counted, falloff, 0.0).sum(axis=-1)
    return np.asarray(total / np.maximum(wanted.sum(axis=1), 1)[:, None], np.float32)
