"""Gathers the people of a video's frames, one after the other, into a `PoseSequence`."""

from __future__ import annotations

import numpy as np

from posemill.models.estimators.base import Persons
from posemill.schema import PoseSequence
from posemill.transforms.skeletons import get_skeleton

_FRAMES_PER_BLOCK = 1024


class PoseRows:
    """Rows in frame and slot order; about 220 bytes a person and frame.

    Frames are joined to blocks on the way: an array for each frame of a long
    video would cost several times its content.
    """

    def __init__(self, skeleton: str) -> None:
        self._skeleton = skeleton
        num_keypoints = get_skeleton(skeleton).num_keypoints
        nobody = Persons(
            xy_px=np.empty((0, num_keypoints, 2), np.float32),
            score=np.empty((0, num_keypoints), np.float32),
            slot=np.empty(0, np.int64),
        )
        self._blocks = [(nobody.xy_px, nobody.score, nobody.slot)]
        self._pending: list[Persons] = []
        self._counts: list[int] = []

    def append(self, persons: Persons) -> None:
        """Add the people of the next frame."""
        self._counts.append(len(persons.slot))
        if len(persons.slot):
            self._pending.append(persons)
        if len(self._pending) == _FRAMES_PER_BLOCK:
            self._join()

    def _join(self) -> None:
        ordered = [np.argsort(people.slot, kind="stable") for people in self._pending]
        pairs = list(zip(self._pending, ordered, strict=True))
        if pairs:
            self._blocks.append(
                (
                    np.concatenate([people.xy_px[order] for people, order in pairs]),
                    np.concatenate([people.score[order] for people, order in pairs]),
                    np.concatenate([people.slot[order] for people, order in pairs]),
                )
            )
        self._pending.clear()

    def sequence(
        self, pts_seconds: list[float], width: int, height: int, frames_declared: int
    ) -> PoseSequence:
        """All rows; `pts_seconds` has a time for each appended frame. Call it once, at the end."""
        self._join()
        xy_px, score, slot = (np.concatenate(arrays) for arrays in zip(*self._blocks, strict=True))
        self._blocks.clear()  # not to lie beside what is made of the rows next
        return PoseSequence(
            skeleton=self._skeleton,
            xy_px=xy_px,
            score=score,
            frame=np.repeat(np.arange(len(self._counts)), self._counts),
            slot=slot,
            pts_seconds=np.asarray(pts_seconds, np.float64),
            width=width,
            height=height,
            frames_declared=frames_declared,
        )
