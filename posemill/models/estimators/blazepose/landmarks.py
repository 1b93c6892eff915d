"""The landmark network: the joints of the one person that a crop shows.

After Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking"
(2020), section 2.3; the heatmap, there only for training, refines the joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posemill.models.estimators.blazepose.network import Network, sigmoid
from posemill.models.estimators.blazepose.regions import Region, crop, region_around, to_image
from posemill.models.estimators.blazepose.rules import BlazePoseRules
from posemill.schema import Float32, UInt8

SIZE = 256
NUM_LANDMARKS = 39
HEATMAP = 64
# COCO's joints among the network's landmarks.
COCO_17_LANDMARKS = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
# Those that say where to look in the next frame.
HIPS, RIM = 33, 34
WANTED = (*COCO_17_LANDMARKS, HIPS, RIM)


@dataclass(frozen=True, slots=True)
class Body:
    """One person in pixels of the frame."""

    xy_px: Float32  # (17, 2)
    score: Float32  # (17,) in [0, 1]
    presence: float
    """How sure the network is that the crop shows a person, in [0, 1]."""
    region: Region
    """Where to look for the person in the next frame."""


def refine(xy_px: Float32, heatmap: Float32, window: int, threshold: float) -> Float32:
    """Landmarks (N, 2), in the network's pixels, moved to the mean of the heatmap around them.

    `heatmap` (64, 64, N) holds logits; its cell i stands for the coordinate 4 i. A
    landmark stays where it is when it lies outside, or when no cell of its
    `window` x `window` reaches `threshold`.
    """
    refined = xy_px.copy()
    stride = SIZE // HEATMAP
    cells = np.floor(xy_px / stride).astype(np.int64)
    reach = window // 2
    for index in np.flatnonzero(((cells >= 0) & (cells < HEATMAP)).all(axis=1)):
        column, row = cells[index]
        left, top = max(column - reach, 0), max(row - reach, 0)
        weight = sigmoid(heatmap[top : row + reach + 1, left : column + reach + 1, index])
        if weight.max() < threshold:
            continue
        x = left + weight.sum(axis=0) @ np.arange(weight.shape[1]) / weight.sum()
        y = top + weight.sum(axis=1) @ np.arange(weight.shape[0]) / weight.sum()
        refined[index] = x * stride, y * stride
    return refined


def joint_scores(
    xy_px: Float32, certainty: Float32, region: Region, frame: UInt8, rules: BlazePoseRules
) -> Float32:
    """Scores (K,) of joints `xy_px` (K, 2) in pixels of the frame: their certainty (K,).

    At least `min_score`, but 0 for joints so far outside that nobody could
    have seen where they are.
    """
    height, width = frame.shape[:2]
    margin = rules.max_outside_frame * region.side_px
    low, high = -0.5 - margin, np.array([width, height]) - 0.5 + margin
    near = ((xy_px >= low) & (xy_px <= high)).all(axis=1)
    return np.where(near, np.clip(certainty, rules.min_score, 1.0), 0.0).astype(np.float32)


class BodyReader:
    """Reads the joints of the person in a region of a frame."""

    def __init__(self, content: bytes, threads: int, rules: BlazePoseRules) -> None:
        maps = (1, HEATMAP, HEATMAP, NUM_LANDMARKS)
        self._network = Network(content, threads, ((1, NUM_LANDMARKS * 5), (1, 1), maps))
        self._rules = rules

    def __call__(self, frame: UInt8, region: Region) -> Body:
        """The body that the landmark network sees in the region, however unsure it is."""
        rules = self._rules
        picture = crop(frame, region, SIZE).astype(np.float32)[None] / np.float32(255)
        values, presence, heatmap = self._network(picture)
        landmarks = values.reshape(NUM_LANDMARKS, 5)[list(WANTED)]
        maps = heatmap[0][..., list(WANTED)]
        xy = refine(landmarks[:, :2], maps, rules.refine_window, rules.refine_threshold)
        # The network counts from the crop's edge, posemill from its first pixel's centre.
        *joints, hips, rim = to_image(xy - np.float32(0.5), region, SIZE)
        xy_px = np.stack(joints)
        certainty = sigmoid(landmarks[: len(joints), 3]) * sigmoid(landmarks[: len(joints), 4])
        return Body(
            xy_px=xy_px,
            score=joint_scores(xy_px, certainty, region, frame, rules),
            presence=float(presence[0, 0]),
            region=region_around(hips, rim, rules.roi_scale),
        )
