"""Frame mAP of AVA: who does what in a keyframe, by boxes that overlap by half.

The rules are those of AVA's own evaluation (ActivityNet's get_ava_performance.py
with the PASCAL evaluator of object_detection_evaluation.py), without the keyframes
that its lists exclude and with the classes of its list, which is for the catalog
to do:

* of a keyframe the 50 pairs of box and class with the greatest scores count;
* by class and keyframe, from the greatest score down, a detection is compared with the true box
  that it overlaps most; it is right where the intersection over union is at least 0.5 and that
  box was not found before;
* average precision is the area below precision over recall, where precision is first raised to
  the greatest at any higher recall (all points, PASCAL VOC 2010);
* the mean is over the classes that are there.

Equal scores share one point of the curve, as in `average_precision`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posemill.pipelines.metrics.average_precision import Bools, Float64, precision_recall
from posemill.predictions import Predictions
from posemill.schema import Float32, Int64

MIN_OVERLAP = 0.5
MAX_PER_FRAME = 50


@dataclass(frozen=True, slots=True)
class Detections:
    """D boxes that were found, with a score of every class.

    Raises:
        ValueError: lengths that differ.
    """

    frames: Sequence[Hashable]
    """(D,) which keyframe each one is of."""
    boxes: Float32
    """(D, 4) left, top, right, bottom."""
    scores: Float32
    """(D, M)."""

    def __post_init__(self) -> None:
        _require_lengths(len(self.frames), self.boxes, len(self.scores))


@dataclass(frozen=True, slots=True)
class TrueBoxes:
    """G boxes that are there, and what each one's person does.

    Raises:
        ValueError: lengths that differ.
    """

    frames: Sequence[Hashable]
    boxes: Float32
    """(G, 4)."""
    positives: Bools
    """(G, M)."""

    def __post_init__(self) -> None:
        _require_lengths(len(self.frames), self.boxes, len(self.positives))


def frame_average_precisions(
    detections: Detections,
    truth: TrueBoxes,
    *,
    min_overlap: float = MIN_OVERLAP,
    max_per_frame: int = MAX_PER_FRAME,
) -> Float64:
    """(M,) average precision of each class over all keyframes, NaN for one that is nowhere."""
    taken = np.zeros(detections.scores.shape, np.bool_)
    right = np.zeros(detections.scores.shape, np.bool_)
    true_rows = _rows_by_frame(truth.frames)
    for frame, found in _rows_by_frame(detections.frames).items():
        scores = detections.scores[found]
        taken[found] = _greatest(scores, detections.boxes[found], max_per_frame)
        there = true_rows.get(frame)
        if there is not None:
            overlaps = intersection_over_union(detections.boxes[found], truth.boxes[there])
            right[found] = _match(
                scores, taken[found], overlaps, truth.positives[there], min_overlap
            )
    totals = truth.positives.sum(axis=0)
    return np.array(
        [
            _area(detections.scores[taken[:, m], m], right[taken[:, m], m], int(totals[m]))
            for m in range(len(totals))
        ]
    )


def frame_average_precisions_of(predictions: Predictions) -> Float64:
    """(M,) of answers for clips with the true boxes, each of which is its own detection.

    Raises:
        ValueError: they have no boxes.
    """
    if predictions.boxes is None or predictions.times is None:
        raise ValueError("the frame mAP needs predictions with boxes and times")
    frames = list(zip(predictions.video_ids, predictions.times.tolist(), strict=True))
    return frame_average_precisions(
        Detections(frames, predictions.boxes, predictions.probabilities),
        TrueBoxes(frames, predictions.boxes, predictions.positives),
    )


def intersection_over_union(boxes: Float32, others: Float32) -> Float64:
    """(D, G) of boxes (D, 4) with boxes (G, 4): left, top, right, bottom."""
    one, two = boxes[:, None].astype(np.float64), others[None].astype(np.float64)
    low, high = np.maximum(one[..., :2], two[..., :2]), np.minimum(one[..., 2:], two[..., 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=-1)
    union = np.prod(one[..., 2:] - one[..., :2], -1) + np.prod(two[..., 2:] - two[..., :2], -1)
    union = union - common
    shares: Float64 = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return shares


def _greatest(scores: Float32, boxes: Float32, limit: int) -> Bools:
    """(D, M) which pairs of box and class are the `limit` of greatest score in their frame.

    Of equal ones those of the first classes, then of the leftmost boxes.
    """
    chosen = np.zeros(scores.shape, np.bool_)
    rows, columns = (each.ravel() for each in np.indices(scores.shape))
    edges = tuple(boxes[rows, edge] for edge in (3, 2, 1, 0))
    order = np.lexsort((*edges, columns, -scores.ravel()))[:limit]
    chosen[rows[order], columns[order]] = True
    return chosen


def _match(
    scores: Float32, taken: Bools, overlaps: Float64, positives: Bools, min_overlap: float
) -> Bools:
    """(D, M) which detections of a frame are right; overlaps (D, G), positives (G, M)."""
    right = np.zeros(scores.shape, np.bool_)
    for m in np.flatnonzero(positives.any(axis=0)):
        there = np.flatnonzero(positives[:, m])
        best = overlaps[:, there].argmax(axis=1)
        close = overlaps[np.arange(len(scores)), there[best]] >= min_overlap
        found = set()
        for row in np.argsort(-scores[:, m], kind="stable"):
            if taken[row, m] and close[row] and best[row] not in found:
                found.add(best[row])
                right[row, m] = True
    return right


def _area(scores: Float32, right: Bools, num_positives: int) -> float:
    if not num_positives:
        return float("nan")
    precision, recall = precision_recall(scores, right, num_positives)
    raised = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * raised))


def _rows_by_frame(frames: Sequence[Hashable]) -> dict[Hashable, Int64]:
    rows: dict[Hashable, list[int]] = {}
    for row, frame in enumerate(frames):
        rows.setdefault(frame, []).append(row)
    return {frame: np.array(found, np.int64) for frame, found in rows.items()}


def _require_lengths(num_frames: int, boxes: npt.NDArray[np.floating], num_scores: int) -> None:
    if boxes.shape != (num_frames, 4) or num_scores != num_frames:
        raise ValueError(
            f"expected a frame, a box of 4 edges and a row of classes for each, got {num_frames} "
            f"frames, boxes of shape {boxes.shape} and {num_scores} rows"
        )
