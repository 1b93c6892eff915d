"""One plan as columns: which video is in which shard, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from posemill.errors import StoreCorrupted
from posemill.schema import Int64, Video
from posemill.storage.plans import RowsWhere
from posemill.storage.videos import VideoTable

_SHARD, _COST = "shard_id", "cost"
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class PlanTable:
    """One plan: a row per video; growth adds another plan.

    Raises:
        ValueError: columns of different lengths, a video twice, or a negative shard.
    """

    number: int
    shard_id: Int64
    """(N,), any sequence is taken."""
    videos: Sequence[Video]
    """(N,), kept as a `VideoTable`."""
    cost: npt.NDArray[np.float64]
    """(N,) expected footage of each video, seconds; any sequence is taken."""

    def __post_init__(self) -> None:
        shard_id = np.asarray(self.shard_id, np.int64)
        videos = VideoTable.of(self.videos)
        cost = np.asarray(self.cost, np.float64)
        if not len(shard_id) == len(videos) == len(cost):
            raise ValueError(
                f"plan {self.number}: {len(shard_id)} shard ids, {len(videos)} videos "
                f"and {len(cost)} costs must be as many"
            )
        if len(set(videos.ids())) != len(videos):
            raise ValueError(f"plan {self.number}: a video may be in it once")
        if self.number < 0 or shard_id.min(initial=0) < 0:
            raise ValueError(f"plan {self.number}: numbers of plans and shards start at 0")
        for name, value in (("shard_id", shard_id), ("videos", videos), ("cost", cost)):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PlanTable):
            return NotImplemented
        return (
            self.number == other.number
            and np.array_equal(self.shard_id, other.shard_id)
            and self.videos == other.videos
            and np.array_equal(self.cost, other.cost)
        )

    def shards(self) -> Mapping[int, VideoTable]:
        """The videos of each shard, in plan order."""
        order = np.argsort(self.shard_id, kind="stable")
        ids, starts = np.unique(self.shard_id[order], return_index=True)
        videos = VideoTable.of(self.videos)
        if not np.array_equal(order, np.arange(len(order))):
            videos = videos.take(order)
        ends = [*starts[1:].tolist(), len(order)]
        return {
            shard: videos[start:end]
            for shard, start, end in zip(ids.tolist(), starts.tolist(), ends, strict=True)
        }


def plan_to_table(plan: PlanTable) -> pa.Table:
    """A row per video: the video's own columns, its shard and its cost."""
    table = VideoTable.of(plan.videos).table
    table = table.append_column(_SHARD, pa.array(plan.shard_id, pa.int64()))
    return table.append_column(_COST, pa.array(plan.cost, pa.float64()))


def plan_from_table(number: int, table: pa.Table) -> PlanTable:
    """The inverse of `plan_to_table`."""
    return PlanTable(number, np.asarray(table[_SHARD]), VideoTable(table), np.asarray(table[_COST]))


def of_shard(shard_id: int) -> RowsWhere:
    """What to read of a stored plan: the rows of one shard."""
    return RowsWhere(_SHARD, shard_id)


def require_planned(place: str, plans: Iterable[PlanTable], shards: Iterable[int]) -> None:
    """Notice lost plans by the committed shards that were in them; `place` is the plans' own.

    Raises:
        StoreCorrupted: no plan has one of the shards.
    """
    planned = {shard for plan in plans for shard in np.unique(plan.shard_id).tolist()}
    lost = sorted(set(shards) - planned)
    if lost:
        named = ", ".join(map(str, lost[:_SHOWN])) + (", ..." if len(lost) > _SHOWN else "")
        raise StoreCorrupted(
            f"{place}: no plan has the committed shards {named} ({len(lost)} in all), so a plan is "
            "lost. Restore it from a backup, or make the store again."
        )
