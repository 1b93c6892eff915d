"""How fast a store was made so far and how large it became: from its own commits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from posemill.storage.dense.arrays import is_dense
from posemill.storage.poses import PoseStore, ShardCommit

_SAMPLED_COMMITS = 64


@dataclass(frozen=True, slots=True)
class Rates:
    """What a second of footage asks for."""

    work_seconds: float
    """Of one worker, to decode it and estimate its poses."""
    person_frames: float
    """Rows of the pose store: persons times frames."""
    bytes_per_person_frame: float
    """In the pose store, compressed, without dense maps."""
    num_shards: int
    """That the rates were measured on; with 0 they are assumed."""
    frames: float | None = None
    """That were taken; None where nothing is measured."""
    dense_bytes_per_frame: float | None = None
    """Of dense maps, compressed; None where none are kept yet."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "work_seconds_per_footage_second": round(self.work_seconds, 4),
            "person_frames_per_footage_second": round(self.person_frames, 2),
            "bytes_per_person_frame": round(self.bytes_per_person_frame, 1),
            "measured_on_shards": self.num_shards,
            "frames_per_footage_second": None if self.frames is None else round(self.frames, 2),
        }


ASSUMED = Rates(work_seconds=1.0, person_frames=25.0, bytes_per_person_frame=40.0, num_shards=0)
"""Before anything is measured: 25 frames/s, done in their own time, one person in each."""


def store_rates(store: PoseStore) -> Rates:
    """The rates of a store, from 64 of its commits at most, spread over all of it.

    Raises:
        StoreCorrupted: a commit record was altered.
    """
    names = [name for name in store.records().values() if name.generation == 0]
    places = np.linspace(0, len(names) - 1, min(_SAMPLED_COMMITS, len(names))).astype(int)
    return measure(store.commit(names[place]) for place in places)


def measure(commits: Iterable[ShardCommit]) -> Rates:
    """The rates of these first generations of shards; `ASSUMED` where they tell none."""
    told = [(commit, commit.attempt) for commit in commits if commit.attempt is not None]
    footage = sum(attempt.cost for _, attempt in told)
    work = sum(attempt.seconds for _, attempt in told)
    if not footage > 0.0 or not work > 0.0:
        return ASSUMED
    rows = sum(stop - start for commit, _ in told for start, stop in _rows(commit))
    frames = sum(entry.frames_decoded for commit, _ in told for entry in commit.entries)
    num_bytes = sum(_num_bytes(commit, dense=False) for commit, _ in told)
    dense_bytes = sum(_num_bytes(commit, dense=True) for commit, _ in told)
    return Rates(
        work_seconds=work / footage,
        person_frames=rows / footage,
        bytes_per_person_frame=num_bytes / rows if rows else ASSUMED.bytes_per_person_frame,
        num_shards=len(told),
        frames=frames / footage,
        dense_bytes_per_frame=dense_bytes / frames if dense_bytes else None,
    )


def _rows(commit: ShardCommit) -> list[tuple[int, int]]:
    return [entry.rows for entry in commit.entries]


def _num_bytes(commit: ShardCommit, *, dense: bool) -> int:
    """Of the files of dense maps, or of all others."""
    members = [item for files in commit.files.values() for item in files.items()]
    return sum(file.num_bytes for name, file in members if is_dense(name) == dense)
