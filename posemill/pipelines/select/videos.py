"""Which of a classifier's answers are for clips of the same video, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.select.clip_ids import parse_clip_id
from posemill.predictions import Predictions
from posemill.schema import Int64

Positions = tuple[Int64, ...]
"""Of each of V videos, places of some of its clips among all of them, rising."""


@dataclass(frozen=True)
class CutVideos:
    """V videos, by id, and the numbers of their clips among answers, in the order of time."""

    ids: tuple[str, ...]
    rows: Positions

    @classmethod
    def of(cls, answers: Predictions, origin: str) -> CutVideos:
        """Those whose clips were answered; `origin` is what the answers are called in messages.

        Raises:
            InputError: clips that are not parts of videos, or of a video with other labels.
        """
        numbers: dict[str, list[tuple[int, int]]] = {}
        for row, clip_id in enumerate(answers.clip_ids):
            try:
                video, number = parse_clip_id(clip_id)
            except ValueError as error:
                raise InputError(
                    f"{origin}: {error}; cut the catalog by `posemill select clips` and score "
                    "those clips with `posemill evaluate --catalog`"
                ) from error
            numbers.setdefault(video, []).append((number, row))
        ids = tuple(sorted(numbers))
        rows = tuple(
            np.array([row for _, row in sorted(numbers[video])], np.int64) for video in ids
        )
        for video, each in zip(ids, rows, strict=True):
            _require_same_labels(origin, video, {answers.labels[row] for row in each.tolist()})
        return cls(ids, rows)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sizes(self) -> list[int]:
        """Clips of each video."""
        return [len(rows) for rows in self.rows]

    def rows_at(self, positions: Positions) -> list[Int64]:
        """Numbers among the answers of the clips at these places of each video."""
        return [rows[places] for rows, places in zip(self.rows, positions, strict=True)]


def _require_same_labels(origin: str, video: str, labels: set[tuple[int, ...]]) -> None:
    if len(labels) > 1:
        told: Sequence[tuple[int, ...]] = sorted(labels)
        raise InputError(
            f"{origin}: clips of the video {video} have different labels, as {told[0]} and "
            f"{told[1]}; expected those of the whole video: cut the catalog again by `posemill "
            "select clips` and score it again"
        )
