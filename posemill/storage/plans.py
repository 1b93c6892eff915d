"""Numbered, frozen plans: which video is in which shard, in which order."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from posemill.errors import StoreCorrupted
from posemill.schema import Video
from posemill.storage.commits import create_if_absent
from posemill.storage.durable import disk_faults, names_in
from posemill.storage.tables import videos_from_table, videos_to_table

_NAME = re.compile(r"(\d{3,})\.parquet")


@dataclass(frozen=True, slots=True)
class PlanTable:
    """One plan: a row per video; growth adds another plan.

    Raises:
        ValueError: columns of different lengths, a video twice, or a negative shard.
    """

    number: int
    shard_id: tuple[int, ...]
    videos: tuple[Video, ...]
    cost: tuple[float, ...]
    """Expected work per video, in any unit."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shard_id", tuple(int(shard) for shard in self.shard_id))
        object.__setattr__(self, "videos", tuple(self.videos))
        object.__setattr__(self, "cost", tuple(float(cost) for cost in self.cost))
        if not len(self.shard_id) == len(self.videos) == len(self.cost):
            raise ValueError(
                f"plan {self.number}: {len(self.shard_id)} shard ids, {len(self.videos)} videos "
                f"and {len(self.cost)} costs must be as many"
            )
        if len({video.id for video in self.videos}) != len(self.videos):
            raise ValueError(f"plan {self.number}: a video may be in it once")
        if self.number < 0 or min(self.shard_id, default=0) < 0:
            raise ValueError(f"plan {self.number}: numbers of plans and shards start at 0")

    def shards(self) -> dict[int, tuple[Video, ...]]:
        """The videos of each shard, in plan order."""
        members: dict[int, list[Video]] = {}
        for shard, video in zip(self.shard_id, self.videos, strict=True):
            members.setdefault(shard, []).append(video)
        return {shard: tuple(videos) for shard, videos in members.items()}


def write_numbered(folder: Path, number: int, table: pa.Table) -> bool:
    """Create `NNN.parquet`; False where that number is taken."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return create_if_absent(folder / f"{number:03d}.parquet", buffer.getvalue())


def read_numbered(folder: Path) -> list[pa.Table]:
    """The tables 000, 001 ..., in order.

    Raises:
        StoreCorrupted: the folder or a number is missing, or a file is damaged.
        EnvironmentFault: the folder or a file cannot be read.
    """
    numbers = sorted(int(m[1]) for name in names_in(folder) if (m := _NAME.fullmatch(name)))
    if numbers != list(range(len(numbers))):
        raise StoreCorrupted(
            f"{folder}: plans must be numbered 0, 1, ..., got {numbers}. "
            "Restore the missing one from a backup, or make the store again."
        )
    return [_read(folder / f"{number:03d}.parquet") for number in numbers]


def plan_to_table(plan: PlanTable) -> pa.Table:
    """A row per video: shard, cost and the video's own columns."""
    table = videos_to_table(plan.videos)
    table = table.append_column("shard_id", pa.array(plan.shard_id, pa.int64()))
    return table.append_column("cost", pa.array(plan.cost, pa.float64()))


def plan_from_table(number: int, table: pa.Table) -> PlanTable:
    """The inverse of `plan_to_table`."""
    shard_id: Sequence[int] = table["shard_id"].to_pylist()
    cost: Sequence[float] = table["cost"].to_pylist()
    return PlanTable(number, tuple(shard_id), videos_from_table(table), tuple(cost))


def _read(path: Path) -> pa.Table:
    with disk_faults(path):
        try:
            return pq.read_table(path)
        except pa.ArrowException as error:
            raise StoreCorrupted(
                f"{path}: not a readable plan ({error}). Restore it from a backup, or make the "
                "store again."
            ) from error
