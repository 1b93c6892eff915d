"""What an extraction has to do: the plans' videos, the catalog's, and what is committed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.again import tasks_again
from posemill.pipelines.plan import (
    Float64,
    ShardLimits,
    assign_shards,
    footage_seconds,
)
from posemill.pipelines.tasks import ShardTask
from posemill.schema import Int64, Video
from posemill.storage.catalog import CatalogVideos
from posemill.storage.identity import describe_change, is_same_file
from posemill.storage.pose_mending import Remainder
from posemill.storage.poses import PlanTable, PoseStore
from posemill.storage.videos import VideoTable

STAGE = "extract"
_SHOWN = 10


class PlannedVideos(Mapping[str, Video]):
    """The videos of all plans by id, as columns; a `Video` is made when it is asked for.

    Its uri is where a catalog has it now, of those that the catalog knows.
    """

    def __init__(self, tables: Sequence[PlanTable], catalog: CatalogVideos) -> None:
        videos = VideoTable.joined(VideoTable.of(table.videos) for table in tables)
        ids, uris = videos.ids(), videos.uris()
        self.rows = {video_id: row for row, video_id in enumerate(ids)}
        """Place of each video in the columns."""
        self.shard_id: Int64 = _joined([table.shard_id for table in tables], np.int64)
        self.cost_seconds: Float64 = _joined([table.cost for table in tables], np.float64)
        self.known = np.zeros(len(ids), np.bool_)
        """Which of them the catalog knows."""
        self.moved: dict[str, str] = {}
        """Where the catalog has those that were planned elsewhere."""
        for video_id, path in zip(catalog.videos.ids(), catalog.paths(), strict=True):
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
class ExtractPlan:
    """What a run has to do."""

    num_videos: int
    num_shards: int
    num_committed_shards: int
    num_new_videos: int
    num_other_shards: int
    """Shards to do none of whose videos this catalog has: another catalog's, left alone."""
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
            "shards_of_other_catalogs": self.num_other_shards,
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
    catalog: CatalogVideos,
    work_per_footage: float,
    videos_per_shard: int | None,
) -> PlanTable | None:
    """A table of the videos that no table holds yet; None where all are planned.

    A planned video's uri is absolute, so that a plan means the same files whichever
    catalog a later run is given.
    """
    planned = {video_id for table in tables for video_id in VideoTable.of(table.videos).ids()}
    new = np.array([video_id not in planned for video_id in catalog.videos.ids()], np.bool_)
    if not new.any():
        return None
    videos = catalog.videos.with_uris(catalog.paths()).take(new)
    cost = footage_seconds(
        videos.num_bytes(), videos.start_seconds(), videos.end_seconds(), videos.duration_seconds()
    )
    limits = ShardLimits.of_job(len(videos), work_per_footage, videos_per_shard)
    first = 1 + max((int(table.shard_id.max(initial=-1)) for table in tables), default=-1)
    return PlanTable(len(tables), first + assign_shards(cost, limits), videos, cost)


def make_plan(
    planned: PlannedVideos,
    committed: Mapping[int, object],
    remainders: Mapping[int, Remainder],
    num_new: int,
) -> ExtractPlan:
    """What is left to do of the planned videos; of other catalogs' nothing.

    A shard has to be done whole, so with a video of this catalog come those that were
    planned with it: where a later index dropped one, it is looked for where it was.
    """
    shards = _Shards.of(planned)
    waiting = ~np.isin(shards.ids, np.fromiter(committed, np.int64, len(committed)))
    ours = shards.num_known > 0
    void = [
        left
        for left in remainders.values()
        if any(planned.known[planned.rows[video_id]] for video_id in left.video_ids)
    ]
    return ExtractPlan(
        num_videos=len(planned),
        num_shards=len(shards.ids),
        num_committed_shards=len(committed) - len(remainders),
        num_new_videos=num_new,
        num_other_shards=int((waiting & ~ours).sum()) + len(remainders) - len(void),
        num_void_videos=sum(len(left.video_ids) for left in void),
        pending=(*shards.tasks(waiting & ours), *tasks_again(STAGE, void, planned)),
    )


def changed_videos(
    store: PoseStore, planned: PlannedVideos, catalog: CatalogVideos, *, ignore_times: bool
) -> list[Change]:
    """Videos that have poses, and whose files in the catalog are others than those then.

    Reads the commits of those alone whose files differ from the planned ones.

    Raises:
        InputError: an id is planned for another file elsewhere.
        StoreCorrupted: a commit record was altered.
    """
    differing = _differing(planned, catalog, ignore_times)
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


def require_unchanged(store: PoseStore, changes: Sequence[Change], catalog: Path) -> None:
    """Raises:
    InputError: a video of the catalog changed since its poses were made; with what to do.
    """
    if not changes:
        return
    more = f"\n  and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    raise InputError(
        f"{len(changes)} of the videos changed since their poses in {store.url} were made:\n  "
        + "\n  ".join(map(str, changes[:_SHOWN]))
        + f"{more}\nExtract them again with `posemill retry {shlex.quote(store.url)} --changed "
        f"--catalog {shlex.quote(str(catalog))}`, or extract into a new store. Where files were "
        "copied and only their times differ: --ignore-times."
    )


@dataclass(frozen=True, slots=True)
class _Shards:
    """The planned shards, as columns."""

    ids: Int64
    num_videos: Int64
    num_known: Int64
    cost_seconds: Float64

    @classmethod
    def of(cls, planned: PlannedVideos) -> _Shards:
        ids, place = np.unique(planned.shard_id, return_inverse=True)
        count = len(ids)
        return cls(
            ids=ids,
            num_videos=np.bincount(place, minlength=count),
            num_known=np.bincount(place[planned.known], minlength=count),
            cost_seconds=np.bincount(place, planned.cost_seconds, count).astype(np.float64),
        )

    def tasks(self, chosen: npt.NDArray[np.bool_]) -> list[ShardTask]:
        columns = (self.ids[chosen], self.num_videos[chosen], self.cost_seconds[chosen])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [ShardTask(STAGE, shard, number, cost) for shard, number, cost in rows]


def _differing(
    planned: PlannedVideos, catalog: CatalogVideos, ignore_times: bool
) -> dict[str, str]:
    """Identity in the catalog of each video that was planned with another one."""
    before = planned.videos.identities()
    return {
        video_id: now
        for video_id, now in zip(catalog.videos.ids(), catalog.videos.identities(), strict=True)
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
        f"the id {video_id!r} is of {planned.moved[video_id]} in this catalog and of {then.uri} in "
        f"the store, and the files differ ({describe_change(then.identity, differing[video_id])}); "
        f"so do {len(elsewhere) - 1} others. Extract each dataset into a store of its own, or "
        "index the folder above both. Where files were copied and only their times differ: "
        "--ignore-times."
    )


def _shard(planned: PlannedVideos, video_id: str) -> int:
    return int(planned.shard_id[planned.rows[video_id]])


def _joined(columns: Sequence[npt.NDArray[Any]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *columns])
