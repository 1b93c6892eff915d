"""Tracks: which person of this frame is which person of the frames before.

Everybody who was seen lately is matched with everybody of the next frame, so that
the similarities of all pairs together are as great as they can be (the
assignment problem: Kuhn, 1955). The best pair alone may not be among them: of two
people who walk one behind the other the hindmost is soon where the foremost was.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from posemill.errors import InputError
from posemill.schema import Float32, Int64
from posemill.transforms.keypoint_boxes import iou_matrix, keypoint_boxes
from posemill.transforms.oks import oks_matrix, oks_sigmas

Similarity = Literal["oks", "box"]


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How people are followed through a video, and how many of them are kept.

    Raises:
        InputError: an unknown similarity, or a number out of range.
    """

    by: Similarity = "oks"
    """Object keypoint similarity, or intersection over union of the boxes around the joints."""
    min_similarity: float = 0.1
    """Pairs below are two people."""
    max_gap: int = 15
    """Frames that somebody may be unseen and still be the same person."""
    max_persons: int | None = None
    """Of each video, the first by `track_ranking`; None keeps all."""

    def __post_init__(self) -> None:
        if self.by not in get_args(Similarity):
            raise InputError(
                f"people are tracked by {' or '.join(get_args(Similarity))}, got {self.by!r}"
            )
        if not 0.0 < self.min_similarity <= 1.0:
            raise InputError(
                f"a least similarity lies above 0 and is 1 at most, got {self.min_similarity}"
            )
        if self.max_gap < 0:
            raise InputError(f"a gap has 0 frames or more, got {self.max_gap}")
        if self.max_persons is not None and self.max_persons < 1:
            raise InputError(f"at least 1 person must be kept, got {self.max_persons}")

    def configuration(self) -> dict[str, Any]:
        """All of it, as a store keeps it."""
        return asdict(self)


class Tracker:
    """Numbers people through the frames of one video; call `update` once a frame.

    The order in which a frame's people are given decides nothing.
    """

    def __init__(self, settings: TrackSettings | None = None) -> None:
        self._settings = settings or TrackSettings()
        self._next_slot = 0
        self._frame = 0
        self._last: dict[int, tuple[int, Float32, Float32]] = {}  # slot -> frame, xy, score

    def update(self, xy_px: Float32, score: Float32) -> Int64:
        """Slots (N,) for the N people, `xy_px` (N, K, 2) and `score` (N, K), of the next frame."""
        order = _order_by_place(xy_px, score)
        slots = np.empty(len(score), np.int64)
        slots[order] = self._match(xy_px[order], score[order])
        for person, slot in enumerate(slots):
            self._last[int(slot)] = (self._frame, xy_px[person], score[person])
        self._forget()
        self._frame += 1
        return slots

    def _match(self, xy_px: Float32, score: Float32) -> Int64:
        slots = np.full(len(score), -1, np.int64)
        known = sorted(self._last)
        if known and len(score):
            last_xy = np.stack([self._last[slot][1] for slot in known])
            last_score = np.stack([self._last[slot][2] for slot in known])
            similarity = _similarity(self._settings.by, last_xy, last_score, xy_px, score)
            rows, people = best_assignment(similarity, self._settings.min_similarity)
            slots[people] = np.asarray(known)[rows]
        newcomers = np.flatnonzero(slots < 0)
        slots[newcomers] = self._next_slot + np.arange(len(newcomers))
        self._next_slot += len(newcomers)
        return slots

    def _forget(self) -> None:
        """Those who would be away for too long by the next frame."""
        gap = self._settings.max_gap
        self._last = {s: seen for s, seen in self._last.items() if self._frame - seen[0] <= gap}


def best_assignment(similarity: Float32, min_similarity: float) -> tuple[Int64, Int64]:
    """Rows and columns of the pairs, each row and column once at most, with the greatest sum.

    Pairs whose entry in `similarity` (N, M) is below `min_similarity` (above 0) are none.
    """
    # Half a second that only processes pay that track people.
    from scipy.optimize import linear_sum_assignment

    allowed = similarity >= min_similarity
    rows, columns = linear_sum_assignment(np.where(allowed, similarity, 0.0), maximize=True)
    paired = allowed[rows, columns]
    return rows[paired].astype(np.int64), columns[paired].astype(np.int64)


def _similarity(
    by: Similarity, last_xy: Float32, last_score: Float32, xy_px: Float32, score: Float32
) -> Float32:
    if by == "box":
        return iou_matrix(keypoint_boxes(last_xy, last_score), keypoint_boxes(xy_px, score))
    return oks_matrix(last_xy, last_score, xy_px, score, sigmas=oks_sigmas(score.shape[1]))


def _order_by_place(xy_px: Float32, score: Float32) -> Int64:
    """An order of people (N,) that does not depend on how they are numbered."""
    place = np.where((score > 0)[..., None], xy_px, 0.0).reshape(len(score), 2 * score.shape[1])
    return np.lexsort(np.concatenate([place, score], axis=1).T[::-1]).astype(np.int64)
