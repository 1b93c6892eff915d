"""Gathers the people of frames into `SourcePoses`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.schema import Float32, Int64
from posemill.storage.formats.base import SourcePoses


class SourceRows:
    """Add people, each frame's in their order, the frames in any; then `finish`."""

    def __init__(self, num_keypoints: int) -> None:
        self._triplets: list[Float32] = [np.empty((0, num_keypoints, 3), np.float32)]
        self._frames: list[Int64] = [np.empty(0, np.int64)]
        self._tracks: list[int] = []
        self._num_untracked = 0

    def add(self, frame: int, triplets: Float32, tracks: Sequence[int | None]) -> None:
        """N people of a frame, (N, K, 3) x, y and score, and the number of each one's track."""
        self._triplets.append(triplets)
        self._frames.append(np.full(len(triplets), frame, np.int64))
        self._tracks += [-1 if track is None else track for track in tracks]
        self._num_untracked += sum(track is None for track in tracks)

    def finish(self, num_frames: int) -> SourcePoses:
        """All rows, by frame. The tracks count only where each has one."""
        frames, tracks = np.concatenate(self._frames), np.array(self._tracks, np.int64)
        order = np.argsort(frames, kind="stable")
        triplets = np.concatenate(self._triplets)[order]
        return SourcePoses(
            xy_px=np.ascontiguousarray(triplets[..., :2]),
            score=np.ascontiguousarray(triplets[..., 2]),
            frame=frames[order],
            num_frames=num_frames,
            track=None if self._num_untracked else tracks[order],
        )
