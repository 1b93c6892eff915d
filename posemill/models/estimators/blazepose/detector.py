"""The detector: faces with the circle of the body that hangs on each.

After Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking"
(2020), sections 2.1 and 2.2, and Bazarevsky et al., "BlazeFace" (2019), for
anchors and the averaging of overlapping boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posemill.models.estimators.blazepose.network import Network, sigmoid
from posemill.models.estimators.blazepose.rules import BlazePoseRules
from posemill.models.estimators.blazepose.tiles import Window, cut, shrink, windows
from posemill.schema import Float32, Int64, UInt8

Mask = npt.NDArray[np.bool_]

SIZE = 224
# Cells along a side, and anchors per cell: the layers with strides 8, 16 and 3 x 32.
GRIDS = ((28, 2), (14, 2), (7, 6))
HIPS, RIM = 0, 1
"""Keypoints of a detection: between the hips, and on the body's circle above the head."""


@dataclass(frozen=True, slots=True)
class Detections:
    """N detections; coordinates in parts of the input at first, later in pixels."""

    score: Float32  # (N,)
    box: Float32  # (N, 4) left, top, right, bottom of the face
    keypoints: Float32  # (N, 4, 2)

    def __getitem__(self, chosen: Int64 | Mask) -> Detections:
        """The detections that an index array or a mask chooses."""
        return Detections(self.score[chosen], self.box[chosen], self.keypoints[chosen])

    def __len__(self) -> int:
        return len(self.score)


def make_anchors() -> Float32:
    """Centres (2254, 2) of the anchors, in parts of the input, row by row and layer by layer."""
    layers = []
    for cells, per_cell in GRIDS:
        centre = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(centre, centre, indexing="ij")
        layers.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), per_cell, axis=0))
    return np.concatenate(layers)


ANCHORS = make_anchors()


def decode(values: Float32, logits: Float32, threshold: float) -> Detections:
    """Raw outputs (2254, 12) and (2254, 1) to the detections scoring `threshold` or more.

    A row holds centre and size of the face's box and four keypoints, in pixels
    of the input; the centre and the keypoints are relative to the anchor.
    """
    score = sigmoid(logits[:, 0])
    chosen = np.flatnonzero(score >= threshold)
    parts = values[chosen].reshape(-1, 6, 2) / np.float32(SIZE)
    anchor = ANCHORS[chosen]
    centre, half = parts[:, 0] + anchor, parts[:, 1] / 2
    return Detections(
        score=score[chosen],
        box=np.concatenate([centre - half, centre + half], axis=1),
        keypoints=parts[:, 2:] + anchor[:, None],
    )


def to_picture(found: Detections, window: Window) -> Detections:
    """From parts of a window to pixels (centres on integers) of the picture it was cut from."""
    origin = np.array([window.left, window.top], np.float32) - np.float32(0.5)
    return Detections(
        score=found.score,
        box=found.box * np.float32(window.side) + np.tile(origin, 2),
        keypoints=found.keypoints * np.float32(window.side) + origin,
    )


def enlarged(found: Detections, ratio_x: float, ratio_y: float) -> Detections:
    """From pixels (centres on integers) of a picture to those of one larger by these ratios."""
    ratio, half = np.array([ratio_x, ratio_y], np.float32), np.float32(0.5)
    return Detections(
        score=found.score,
        box=(found.box + half) * np.tile(ratio, 2) - half,
        keypoints=(found.keypoints + half) * ratio - half,
    )


def bodies(found: Detections) -> Float32:
    """Boxes (N, 4) left, top, right, bottom around the circles of the bodies."""
    middle = found.keypoints[:, HIPS]
    radius = np.linalg.norm(found.keypoints[:, RIM] - middle, axis=1, keepdims=True)
    return np.concatenate([middle - radius, middle + radius], axis=1)


def inside_window(
    found: Detections, window: Window, width: int, height: int, max_outside: float
) -> Mask:
    """Which detections (N,), in pixels, have their body (from head to feet) in the window.

    A body may leave the window by `max_outside` of its side, and by any length
    where the window's side lies on, or beyond, the picture's border.
    """
    middle, rim = found.keypoints[:, HIPS], found.keypoints[:, RIM]
    feet = 2 * middle - rim
    low, high = np.minimum(rim, feet), np.maximum(rim, feet)
    start = np.array([window.left, window.top])
    stop = start + window.side
    slack = max_outside * window.side
    low_ok = (low >= start - slack) | (start <= 0)
    high_ok = (high <= stop + slack) | (stop >= (width, height))
    return np.asarray((low_ok & high_ok).all(axis=1))


def weighted_nms(found: Detections, boxes: Float32, max_iou: float) -> Detections:
    """Each group of overlapping `boxes` (N, 4) as one detection: the mean, weighted by score.

    The best detection and those whose boxes overlap its box by more than
    `max_iou` make a group, which has its score; then the best of the rest, and so on.
    """
    merged = []
    remaining = np.argsort(-found.score, kind="stable")
    while len(remaining):
        alike = _iou(boxes[remaining[0]], boxes[remaining]) > max_iou
        alike[0] = True
        merged.append(_mean(found[remaining[alike]]))
        remaining = remaining[~alike]
    return join(merged)


def _mean(group: Detections) -> Detections:
    weight = group.score / group.score.sum()
    return Detections(
        score=group.score[:1],
        box=np.tensordot(weight, group.box, 1)[None],
        keypoints=np.tensordot(weight, group.keypoints, 1)[None],
    )


def _iou(box: Float32, others: Float32) -> Float32:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    area, areas = (box[2:] - box[:2]).prod(), (others[:, 2:] - others[:, :2]).prod(axis=1)
    return np.asarray(common / np.maximum(area + areas - common, 1e-9), np.float32)


def join(parts: list[Detections]) -> Detections:
    """All detections of all parts."""
    empty = Detections(
        np.zeros(0, np.float32), np.zeros((0, 4), np.float32), np.zeros((0, 4, 2), np.float32)
    )
    every = [empty, *parts]
    return Detections(
        np.concatenate([part.score for part in every]),
        np.concatenate([part.box for part in every]),
        np.concatenate([part.keypoints for part in every]),
    )


class PersonDetector:
    """Looks for people in all windows of a frame."""

    def __init__(self, content: bytes, threads: int, rules: BlazePoseRules) -> None:
        outputs = ((1, len(ANCHORS), 12), (1, len(ANCHORS), 1))
        self._network = Network(content, threads, outputs)
        self._rules = rules

    def __call__(self, frame: UInt8) -> Detections:
        """Detections in pixels of the frame, best first."""
        small = shrink(frame, SIZE, self._rules)
        height, width = small.shape[:2]
        found = join(
            [self._in_window(small, window) for window in windows(width, height, self._rules)]
        )
        # Windows see one face with different bodies, where people overlap: by
        # bodies the groups keep both, and the landmark network decides.
        merged = weighted_nms(found, bodies(found), self._rules.same_body_iou)
        return enlarged(merged, frame.shape[1] / width, frame.shape[0] / height)

    def _in_window(self, small: UInt8, window: Window) -> Detections:
        tile = cut(small, window, SIZE).astype(np.float32)[None] / np.float32(127.5) - 1
        values, logits = self._network(tile)
        found = decode(values[0], logits[0], self._rules.detector_threshold)
        found = to_picture(weighted_nms(found, found.box, self._rules.same_face_iou), window)
        height, width = small.shape[:2]
        return found[inside_window(found, window, width, height, self._rules.max_body_outside_tile)]
