"""Tracks: which person of this frame is which person of the frame before.

Greedy matching by object keypoint similarity, best pair first.
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Int64
from posemill.transforms.oks import oks_matrix

MIN_SIMILARITY = 0.1
MAX_FRAMES_LOST = 15


class Tracker:
    """Numbers people through the frames of one video; call `update` once a frame.

    A person unseen for more than `MAX_FRAMES_LOST` frames comes back as a new one.
    """

    def __init__(self) -> None:
        self._next_slot = 0
        self._frame = 0
        self._last: dict[int, tuple[int, Float32, Float32]] = {}  # slot -> frame, xy, score

    def update(self, xy_px: Float32, score: Float32) -> Int64:
        """Slots (N,) for the N people, `xy_px` (N, K, 2) and `score` (N, K), of the next frame."""
        slots = np.full(len(score), -1, np.int64)
        known = sorted(self._last)
        if known and len(score):
            similarity = oks_matrix(
                np.stack([self._last[slot][1] for slot in known]),
                np.stack([self._last[slot][2] for slot in known]),
                xy_px,
                score,
            )
            for row, person in _best_pairs(similarity):
                slots[person] = known[row]
        for newcomer in np.flatnonzero(slots < 0):
            slots[newcomer] = self._next_slot
            self._next_slot += 1
        self._remember(slots, xy_px, score)
        return slots

    def _remember(self, slots: Int64, xy_px: Float32, score: Float32) -> None:
        for person, slot in enumerate(slots):
            self._last[int(slot)] = (self._frame, xy_px[person], score[person])
        self._last = {
            slot: seen
            for slot, seen in self._last.items()
            if self._frame - seen[0] <= MAX_FRAMES_LOST
        }
        self._frame += 1


def _best_pairs(similarity: Float32) -> list[tuple[int, int]]:
    """Row and column of the greatest entry, again and again, each row and column once."""
    remaining = similarity.copy()
    pairs = []
    while remaining.size and remaining.max() >= MIN_SIMILARITY:
        row, column = np.unravel_index(int(remaining.argmax()), remaining.shape)
        pairs.append((int(row), int(column)))
        remaining[row, :] = -1.0
        remaining[:, column] = -1.0
    return pairs
