"""What is left to do of a pose store: the plans' videos, those listed now, what is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.plan import Float64, ShardLimits, assign_shards, footage_seconds
from posemill.pipelines.tasks import ShardTask
from posemill.schema import Int64, Video
from posemill.storage.identity import describe_change, is_same_file
from posemill.storage.pose_mending import Remainder
from posemill.storage.poses import PlanTable, PoseStore
from posemill.storage.videos import VideoTable

LISTS = {"extract": "catalogs", "import": "sources"}
"""What the videos of each stage are listed by."""
_SHOWN = 10


class ListedVideos(Protocol):
    """The videos that there are by now: a catalog's, or the sources of an import."""

    @property
    def videos(self) -> VideoTable: ...

    def paths(self) -> list[str]:
        """Where each is, absolutely."""


class PlannedVideos(Mapping[str, Video]):
    """The videos of all plans by id, as columns; a `Video` is made when it is asked for.

    Its uri is where a list has it now, of those that the list knows.
    """

    def __init__(self, tables: Sequence[PlanTable], listed: ListedVideos) -> None:
        videos = VideoTable.joined(VideoTable.of(table.videos) for table in tables)
        ids, uris = videos.ids(), videos.uris()
        self.rows = {video_id: row for row, video_id in enumerate(ids)}
        """Place of each video in the columns."""
        self.shard_id: Int64 = _joined([table.shard_id for table in tables], np.int64)
        self.cost: Float64 = _joined([table.cost for table in tables], np.float64)
        """Expected of each, in the unit of its stage: seconds of footage, or bytes to read."""
        self.known = np.zeros(len(ids), np.bool_)
        """Which of them the list knows."""
        self.moved: dict[str, str] = {}
        """Where the list has those that were planned elsewhere."""
        for video_id, path in zip(listed.videos.ids(), listed.paths(), strict=True):
            row = self.rows.get(video_id)
            if row is not None:
                self.known[row] = True
                if uris[row] != path:
                    self.moved[video_id] = path
        self.videos = videos

    def __getitem__(self, video_id: str) -> Video:
        video = self.videos[self.rows[video_id]]
        return replace(video, uri=self.moved.get(video_id, video.uri))

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class PosePlan:
    """What a run has to do."""

    stage: str
    num_videos: int
    num_shards: int
    num_committed_shards: int
    num_new_videos: int
    num_other_shards: int
    """Shards to do none of whose videos this list has: of another one, left alone."""
    num_void_videos: int
    """Of committed shards, found damaged: to be made again."""
    pending: tuple[ShardTask, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "videos": self.num_videos,
            "shards": self.num_shards,
            "shards_done": self.num_committed_shards,
            "shards_to_do": len(self.pending),
            "videos_to_do": sum(task.num_items for task in self.pending),
            "videos_new": self.num_new_videos,
            "videos_void": self.num_void_videos,
            f"shards_of_other_{LISTS[self.stage]}": self.num_other_shards,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """A video whose file is no longer the one that its poses were made from."""

    video_id: str
    before: str
    """Identity of the file when it was extracted."""
    now: str

    def __str__(self) -> str:
        return f"{self.video_id}: {describe_change(self.before, self.now)}"


def next_table(
    tables: Sequence[PlanTable],
    listed: ListedVideos,
    cost_of: Callable[[VideoTable], Float64],
    limits_of: Callable[[int], ShardLimits],
) -> PlanTable | None:
    """A table of the videos that no table holds yet; None where all are planned.

    A planned video's uri is absolute, so that a plan means the same files whichever
    list a later run is given.

    Args:
        cost_of: the expected work of each, in any unit.
        limits_of: when a shard is full, for so many new videos, in that unit.
    """
    planned = {video_id for table in tables for video_id in VideoTable.of(table.videos).ids()}
    new = np.array([video_id not in planned for video_id in listed.videos.ids()], np.bool_)
    if not new.any():
        return None
    videos = listed.videos.with_uris(listed.paths()).take(new)
    cost = cost_of(videos)
    first = 1 + max((int(table.shard_id.max(initial=-1)) for table in tables), default=-1)
    return PlanTable(len(tables), first + assign_shards(cost, limits_of(len(videos))), videos, cost)


def video_footage(videos: VideoTable) -> Float64:
    """(N,) seconds to decode, as the cost of each."""
    return footage_seconds(
        videos.num_bytes(), videos.start_seconds(), videos.end_seconds(), videos.duration_seconds()
    )


def make_plan(
    stage: str,
    planned: PlannedVideos,
    committed: Mapping[int, object],
    remainders: Mapping[int, Remainder],
    num_new: int,
) -> PosePlan:
    """What is left to do of the planned videos; of other lists' nothing.

    A shard has to be done whole, so with a video of this list come those that were
    planned with it: where a later list dropped one, it is looked for where it was.
    """
    shards = _Shards.of(planned)
    waiting = ~np.isin(shards.ids, np.fromiter(committed, np.int64, len(committed)))
    ours = shards.num_known > 0
    void = [
        left
        for left in remainders.values()
        if any(planned.known[planned.rows[video_id]] for video_id in left.video_ids)
    ]
    return PosePlan(
        stage=stage,
        num_videos=len(planned),
        num_shards=len(shards.ids),
        num_committed_shards=len(committed) - len(remainders),
        num_new_videos=num_new,
        num_other_shards=int((waiting & ~ours).sum()) + len(remainders) - len(void),
        num_void_videos=sum(len(left.video_ids) for left in void),
        pending=(*shards.tasks(stage, waiting & ours), *tasks_again(stage, void, planned)),
    )


def tasks_again(
    stage: str, remainders: Iterable[Remainder], planned: PlannedVideos
) -> tuple[ShardTask, ...]:
    """Tasks that make some videos of committed shards again, as the shards' next generation."""
    return tuple(
        ShardTask(
            stage=stage,
            shard_id=left.shard_id,
            num_items=len(left.video_ids),
            cost=float(planned.cost[[planned.rows[each] for each in left.video_ids]].sum()),
            generation=left.generation,
            items=left.video_ids,
        )
        for left in remainders
    )


def changed_videos(
    store: PoseStore, planned: PlannedVideos, listed: ListedVideos, *, ignore_times: bool
) -> list[Change]:
    """Videos that have poses, and whose files in the list are others than those then.

    Reads the commits of those alone whose files differ from the planned ones.

    Raises:
        InputError: an id is planned for another file elsewhere.
        StoreCorrupted: a commit record was altered.
    """
    differing = _differing(planned, listed, ignore_times)
    _require_same_videos(planned, differing)
    records = store.records()
    shards = {shard for video_id in differing if (shard := _shard(planned, video_id)) in records}
    entries = {e.video_id: e for shard in shards for e in store.commit(records[shard]).entries}
    return [
        Change(video_id, entries[video_id].identity, now)
        for video_id, now in differing.items()
        if video_id in entries
        and entries[video_id].status.has_frames
        and not is_same_file(entries[video_id].identity, now, ignore_times=ignore_times)
    ]


def require_unchanged(store: PoseStore, changes: Sequence[Change], remedy: str) -> None:
    """Raises:
    InputError: a listed video changed since its poses were made; with what to do.
    """
    if not changes:
        return
    more = f"\n  and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    raise InputError(
        f"{len(changes)} of the videos changed since their poses in {store.url} were made:\n  "
        + "\n  ".join(map(str, changes[:_SHOWN]))
        + f"{more}\n{remedy} Where files were copied and only their times differ: --ignore-times."
    )


@dataclass(frozen=True, slots=True)
class _Shards:
    """The planned shards, as columns."""

    ids: Int64
    num_videos: Int64
    num_known: Int64
    cost: Float64

    @classmethod
    def of(cls, planned: PlannedVideos) -> _Shards:
        ids, place = np.unique(planned.shard_id, return_inverse=True)
        count = len(ids)
        return cls(
            ids=ids,
            num_videos=np.bincount(place, minlength=count),
            num_known=np.bincount(place[planned.known], minlength=count),
            cost=np.bincount(place, planned.cost, count).astype(np.float64),
        )

    def tasks(self, stage: str, chosen: npt.NDArray[np.bool_]) -> list[ShardTask]:
        columns = (self.ids[chosen], self.num_videos[chosen], self.cost[chosen])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [ShardTask(stage, shard, number, cost) for shard, number, cost in rows]


def _differing(planned: PlannedVideos, listed: ListedVideos, ignore_times: bool) -> dict[str, str]:
    """Identity in the list of each video that was planned with another one."""
    before = planned.videos.identities()
    return {
        video_id: now
        for video_id, now in zip(listed.videos.ids(), listed.videos.identities(), strict=True)
        if (row := planned.rows.get(video_id)) is not None
        and not is_same_file(before[row], now, ignore_times=ignore_times)
    }


def _require_same_videos(planned: PlannedVideos, differing: Mapping[str, str]) -> None:
    elsewhere = [video_id for video_id in differing if video_id in planned.moved]
    if not elsewhere:
        return
    video_id = elsewhere[0]
    then = planned.videos[planned.rows[video_id]]
    raise InputError(
        f"the id {video_id!r} is of {planned.moved[video_id]} now and of {then.uri} in the store, "
        f"and the files differ ({describe_change(then.identity, differing[video_id])}); so do "
        f"{len(elsewhere) - 1} others. Give each dataset a store of its own, or list the folder "
        "above both. Where files were copied and only their times differ: "
        "--ignore-times."
    )


def _shard(planned: PlannedVideos, video_id: str) -> int:
    return int(planned.shard_id[planned.rows[video_id]])


def _joined(columns: Sequence[npt.NDArray[Any]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *columns])
