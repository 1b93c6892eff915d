"""Gathers the people of frame after frame into `SourcePoses`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.schema import Float32, Int64
from posemill.storage.formats.base import SourcePoses


class SourceRows:
    """Add each frame that has people, in order; then `finish`."""

    def __init__(self, num_keypoints: int) -> None:
        self._triplets: list[Float32] = [np.empty((0, num_keypoints, 3), np.float32)]
        self._frames: list[Int64] = [np.empty(0, np.int64)]
        self._tracks: list[int] = []
        self._num_untracked = 0

    def add(self, frame: int, triplets: Float32, tracks: Sequence[int | None]) -> None:
        """The N people of a frame, (N, K, 3) x, y and score, and the number of each one's track."""
        self._triplets.append(triplets)
        self._frames.append(np.full(len(triplets), frame, np.int64))
        self._tracks += [-1 if track is None else track for track in tracks]
        self._num_untracked += sum(track is None for track in tracks)

    def finish(self, num_frames: int) -> SourcePoses:
        """All rows. The tracks count only where each has one."""
        triplets = np.concatenate(self._triplets)
        return SourcePoses(
            xy_px=np.ascontiguousarray(triplets[..., :2]),
            score=np.ascontiguousarray(triplets[..., 2]),
            frame=np.concatenate(self._frames),
            num_frames=num_frames,
            track=None if self._num_untracked else np.array(self._tracks, np.int64),
        )
