"""Videos to poses: plans, resumes and sums up; `extract_shard` does the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

from posemill.errors import InputError
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.again import tasks_again
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event, StageEnded, StageStarted
from posemill.pipelines.extract_shard import pose_configuration
from posemill.pipelines.plan import plan_shards, video_cost_seconds
from posemill.pipelines.supervise import Limits
from posemill.pipelines.tasks import ShardTask, WorkerSpec
from posemill.schema import Video, VideoStatus
from posemill.storage.catalog import Catalog, read_catalog
from posemill.storage.pose_mending import Remainder
from posemill.storage.poses import PlanTable, PoseStore
from posemill.storage.store_root import is_absent

STAGE = "extract"


@dataclass(frozen=True, slots=True)
class ExtractConfig:
    """What to extract, with which estimator, and how much of the machine to use."""

    catalog: Path
    out: Path
    estimator: str
    options: EstimatorOptions = field(default_factory=EstimatorOptions)
    engine: str = "local"
    engine_options: EngineOptions = field(default_factory=EngineOptions)
    limits: Limits = field(default_factory=Limits)
    """Of time and memory, for the process that decodes and estimates."""
    videos_per_shard: int | None = None
    """Of a new plan; None takes `plan.default_videos_per_shard`."""


@dataclass(frozen=True, slots=True)
class ExtractPlan:
    """What a run would do: the answer of `--dry-run`."""

    num_videos: int
    num_shards: int
    num_committed_shards: int
    num_new_videos: int
    num_changed_videos: int
    """Videos whose file differs from the one that was planned; their poses are kept."""
    num_other_shards: int
    """Shards to do whose videos this catalog lacks: another catalog's, left alone."""
    pending: tuple[ShardTask, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "videos": self.num_videos,
            "shards": self.num_shards,
            "shards_done": self.num_committed_shards,
            "shards_to_do": len(self.pending),
            "videos_to_do": sum(task.num_items for task in self.pending),
            "videos_new": self.num_new_videos,
            "videos_changed": self.num_changed_videos,
            "shards_of_other_catalogs": self.num_other_shards,
        }


@dataclass(frozen=True, slots=True)
class ExtractSummary:
    """What a store holds after a run, and what the run did."""

    statuses: Mapping[str, int]
    not_whole: Mapping[str, str]
    """Id of each missing, quarantined or damaged video to its status and message."""
    num_frames: int
    num_extracted_videos: int
    seconds: float
    plan: ExtractPlan

    def as_dict(self) -> dict[str, Any]:
        return {
            "videos": sum(self.statuses.values()),
            **{status: self.statuses.get(status, 0) for status in VideoStatus},
            "frames": self.num_frames,
            "extracted_now": self.num_extracted_videos,
            "videos_changed": self.plan.num_changed_videos,
            "shards_of_other_catalogs": self.plan.num_other_shards,
            "seconds": round(self.seconds, 2),
            "not_whole": dict(self.not_whole),
        }


def extract(config: ExtractConfig, on_event: Callable[[Event], None]) -> ExtractSummary:
    """Extract every video of the catalog that the store does not hold yet.

    Raises:
        InputError: the catalog, the estimator or the output cannot be used.
        EnvironmentFault: shards failed; what was committed stays.
    """
    started = monotonic()
    engine = create_engine(config.engine)
    catalog = read_catalog(config.catalog)
    estimator = create_estimator(config.estimator, config.options)
    store = PoseStore.open_or_create(
        config.out,
        pose_configuration(estimator, config.options),
        catalog_hint=str(config.catalog.resolve()),
    )
    plan = _extend_plan(store, catalog, config.videos_per_shard)
    spec = extract_worker(
        config.out, store, catalog, config.estimator, config.options, config.limits
    )
    num_items = sum(task.num_items for task in plan.pending)
    on_event(StageStarted(STAGE, len(plan.pending), num_items))
    report = engine.run(plan.pending, spec, config.engine_options, on_event)
    on_event(StageEnded(STAGE, monotonic() - started))
    report.require_success(STAGE)
    return _summary(store, plan, monotonic() - started)


def plan_extract(config: ExtractConfig) -> ExtractPlan:
    """What `extract` would do; writes nothing.

    Raises:
        InputError: as `extract` would.
    """
    catalog = read_catalog(config.catalog)
    estimator = create_estimator(config.estimator, config.options)
    if is_absent(config.out):
        return _plan([], _new_table([], catalog, config.videos_per_shard), catalog, set(), {})
    store = PoseStore.open(config.out)
    store.require_configuration(pose_configuration(estimator, config.options))
    tables = store.plans()
    new = _new_table(tables, catalog, config.videos_per_shard)
    return _plan(tables, new, catalog, set(store.records()), store.remainders())


def extract_worker(
    out: Path,
    store: PoseStore,
    catalog: Catalog,
    estimator: str,
    options: EstimatorOptions,
    limits: Limits,
) -> WorkerSpec:
    """How to build a worker that extracts shards of the store at `out`."""
    return WorkerSpec(
        "posemill.pipelines.extract_shard:ExtractWorker",
        {
            "source_root": Path(catalog.root),
            "moved": _moved(store.plans(), catalog),
            "out": out,
            "estimator": estimator,
            "options": options,
            "limits": limits,
        },
    )


def locate_videos(store: PoseStore, catalog: Catalog) -> dict[str, Video]:
    """The planned videos by id, each with the path where the catalog has it now."""
    tables = store.plans()
    moved = _moved(tables, catalog)
    return {
        video_id: replace(video, uri=moved.get(video_id, video.uri))
        for video_id, video in _planned(tables).items()
    }


def _extend_plan(store: PoseStore, catalog: Catalog, videos_per_shard: int | None) -> ExtractPlan:
    """Freeze a plan for the videos that no plan holds yet; another driver may be first."""
    while True:
        tables = store.plans()
        new = _new_table(tables, catalog, videos_per_shard)
        if not new or store.add_plan(new[0].number, new[0]):
            return _plan(tables, new, catalog, set(store.records()), store.remainders())


def _new_table(
    tables: Sequence[PlanTable], catalog: Catalog, videos_per_shard: int | None
) -> list[PlanTable]:
    """A table for the videos that no table holds yet: one, or none where all are planned.

    A planned video's uri is absolute, so that a plan means the same files whichever
    catalog a later run is given.
    """
    planned = _planned(tables)
    _require_same_videos(planned, catalog)
    unplanned = [
        replace(video, uri=catalog.video_path(video))
        for video in catalog.videos
        if video.id not in planned
    ]
    if not unplanned:
        return []
    first_shard_id = 1 + max((max(table.shard_id) for table in tables), default=-1)
    shards = plan_shards(unplanned, first_shard_id, videos_per_shard)
    return [
        PlanTable(
            number=len(tables),
            shard_id=tuple(shard.shard_id for shard in shards for _ in shard.videos),
            videos=tuple(unplanned),
            cost=tuple(video_cost_seconds(video) for video in unplanned),
        )
    ]


def _planned(tables: Sequence[PlanTable]) -> dict[str, Video]:
    return {video.id: video for table in tables for video in table.videos}


def _moved(tables: Sequence[PlanTable], catalog: Catalog) -> dict[str, str]:
    """Where the planned videos are now, for those that the catalog knows elsewhere."""
    planned = _planned(tables)
    return {
        video.id: catalog.video_path(video)
        for video in catalog.videos
        if video.id in planned and catalog.video_path(video) != planned[video.id].uri
    }


def _require_same_videos(planned: Mapping[str, Video], catalog: Catalog) -> None:
    """Refuse a catalog whose ids are those of other videos.

    Raises:
        InputError: an id is planned for another file with other content.
    """
    for video in catalog.videos:
        known = planned.get(video.id)
        path = catalog.video_path(video)
        if known is not None and known.uri != path and known.identity != video.identity:
            raise InputError(
                f"the id {video.id!r} is of {path} in this catalog and of {known.uri} in the "
                "store, and the files differ; extract each dataset into a store of its own, or "
                "index the folder above both"
            )


def _plan(
    tables: Sequence[PlanTable],
    new: Sequence[PlanTable],
    catalog: Catalog,
    committed: set[int],
    remainders: Mapping[int, Remainder],
) -> ExtractPlan:
    shards = {
        shard_id: videos for table in (*tables, *new) for shard_id, videos in table.shards().items()
    }
    ours = {video.id for video in catalog.videos}
    waiting = [shard_id for shard_id in shards if shard_id not in committed]
    pending = [shard for shard in waiting if all(video.id in ours for video in shards[shard])]
    videos = _planned(tables)
    void = [left for left in remainders.values() if ours.issuperset(left.video_ids)]
    return ExtractPlan(
        num_videos=sum(map(len, shards.values())),
        num_shards=len(shards),
        num_committed_shards=len(committed) - len(remainders),
        num_new_videos=sum(len(table.videos) for table in new),
        num_changed_videos=sum(
            videos.get(video.id, video).identity != video.identity for video in catalog.videos
        ),
        num_other_shards=len(waiting) - len(pending) + len(remainders) - len(void),
        pending=(
            *(
                ShardTask(
                    STAGE, shard, len(shards[shard]), sum(map(video_cost_seconds, shards[shard]))
                )
                for shard in pending
            ),
            *tasks_again(STAGE, void, videos),
        ),
    )


def _summary(store: PoseStore, plan: ExtractPlan, seconds: float) -> ExtractSummary:
    entries = store.entries()
    return ExtractSummary(
        statuses=Counter(str(entry.status) for entry in entries.values()),
        not_whole={
            video_id: f"{entry.status}: {entry.message}"
            for video_id, entry in entries.items()
            if entry.status not in (VideoStatus.OK, VideoStatus.EMPTY)
        },
        num_frames=sum(entry.frames_decoded for entry in entries.values()),
        num_extracted_videos=sum(task.num_items for task in plan.pending),
        seconds=seconds,
        plan=plan,
    )
