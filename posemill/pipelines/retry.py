"""Makes videos again: those that are missing, quarantined or void, or whose files changed.

A shard's retried videos go into a group of their own, and its next generation
names group and rows of each video; all others are carried over. Of two retries
at once one commits a shard first, and the other one's work on it is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import randbits
from time import monotonic
from typing import Any

from posemill.errors import InputError
from posemill.pipelines.changed_files import changed_files
from posemill.pipelines.decode import DecodeSettings
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.pipelines.events import Event, StageEnded, StageStarted
from posemill.pipelines.extract import STAGE as EXTRACT
from posemill.pipelines.extract import extract_worker, readable_videos
from posemill.pipelines.import_again import import_again
from posemill.pipelines.import_poses import MAX_SOURCE_BYTES
from posemill.pipelines.import_settings import STAGE as IMPORT
from posemill.pipelines.plan import begin_order
from posemill.pipelines.pose_plan import Change, PlannedVideos, changed_videos, tasks_again
from posemill.pipelines.pose_settings import (
    PoseSettings,
    stored_frames,
    stored_options,
    stored_tracks,
)
from posemill.pipelines.remaking import Remaking
from posemill.pipelines.supervise import Limits
from posemill.pipelines.tasks import ShardOutcome, ShardTask
from posemill.pipelines.worker_devices import require_devices
from posemill.schema import VideoStatus
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import are_there
from posemill.storage.objects import Place
from posemill.storage.pose_mending import remainder
from posemill.storage.poses import PoseStore, VideoEntry
from posemill.storage.video import VideoLimits

RETRIABLE = (VideoStatus.MISSING, VideoStatus.QUARANTINED, VideoStatus.VOID)
_LOST = (ShardOutcome.LOST_RACE, ShardOutcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """Which videos to make again; how is as the store's configuration tells.

    Raises:
        InputError: a status whose videos have what can be had.
    """

    poses: Place
    catalog: Path | None = None
    """Where the videos are; None takes the catalog that the store was made from. Of imported
    stores none is taken: their sources are where they were."""
    statuses: Collection[str] = RETRIABLE
    reasons: Collection[str] = ()
    """Of the entries; none given takes any."""
    video_ids: Collection[str] = ()
    """None given takes all of those statuses and reasons."""
    changed: bool = False
    """Take instead the videos whose files are others than those their poses were made from,
    on this disk or as the catalog has them."""
    ignore_times: bool = False
    """Files that differ in their times only have not changed."""
    device: str | None = None
    """None takes the store's class of devices."""
    weights: Path | None = None
    threads: int = 1
    """Of a store that is not reproducible; else the store's own."""
    limits: Limits = field(default_factory=Limits)
    """Of time and memory; raise them where they were what a video failed for."""
    decoders: int = 1
    """Of each worker."""
    batching: BatchSettings = field(default_factory=BatchSettings)
    video_limits: VideoLimits = field(default_factory=VideoLimits)
    """Of what is opened; raise them where a good video is larger or longer."""
    max_source_bytes: int = MAX_SOURCE_BYTES
    """Of a source that is imported."""
    engine: str = "local"
    engine_options: EngineOptions = field(default_factory=EngineOptions)

    def __post_init__(self) -> None:
        if wrong := set(self.statuses) - set(RETRIABLE):
            raise InputError(
                f"retry takes videos that are {', '.join(RETRIABLE)}; got the status "
                f"{', '.join(sorted(map(repr, wrong)))}"
            )


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What a retry would do: the answer of `--dry-run`."""

    statuses: Mapping[str, int]
    """Of the videos to do."""
    still_missing: tuple[str, ...]
    """Ids that were asked for and whose files are still not there: left as they are."""
    pending: tuple[ShardTask, ...]

    @property
    def video_ids(self) -> tuple[str, ...]:
        return tuple(video_id for task in self.pending for video_id in task.items or ())

    def as_dict(self) -> dict[str, Any]:
        return {
            "videos_to_do": len(self.video_ids),
            "shards_to_do": len(self.pending),
            "statuses": dict(self.statuses),
            "still_missing": len(self.still_missing),
        }


@dataclass(frozen=True, slots=True)
class RetrySummary:
    """What became of the retried videos."""

    plan: RetryPlan
    statuses: Mapping[str, int]
    """Of the retried videos, now."""
    not_whole: Mapping[str, str]
    """Id of each that is still not whole to its status and message."""
    num_shards_lost: int
    """Shards that another run committed first: look at the store, and retry again."""
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.plan.as_dict(),
            "now": dict(self.statuses),
            "not_whole": dict(self.not_whole),
            "shards_lost": self.num_shards_lost,
            "seconds": round(self.seconds, 2),
        }


def retry(config: RetryConfig, on_event: Callable[[Event], None]) -> RetrySummary:
    """Make the selected videos again and commit them as their shards' next generation.

    Raises:
        InputError: the store, the catalog or an id cannot be used.
        ConfigurationMismatch: the estimator here is another one than the store's.
        EnvironmentFault: shards failed; what was committed stays.
    """
    started = monotonic()
    engine = create_engine(config.engine, config.engine_options)
    store = PoseStore.open(config.poses)
    remaking = _remaking(store, config)
    plan = _plan(store, config, remaking)
    on_event(StageStarted(remaking.stage, len(plan.pending), len(plan.video_ids)))
    tasks = begin_order(plan.pending, randbits(64))
    report = engine.run(tasks, remaking.worker, on_event, store.mailbox)
    on_event(StageEnded(remaking.stage, monotonic() - started))
    report.require_success(remaking.stage)
    entries = store.entries()
    retried = [entries[video_id] for video_id in plan.video_ids]
    return RetrySummary(
        plan=plan,
        statuses=Counter(str(entry.status) for entry in retried),
        not_whole={
            entry.video_id: f"{entry.status}: {entry.message}"
            for entry in retried
            if entry.status not in (VideoStatus.OK, VideoStatus.EMPTY)
        },
        num_shards_lost=sum(result.outcome in _LOST for result in report.results),
        seconds=monotonic() - started,
    )


def plan_retry(config: RetryConfig) -> RetryPlan:
    """What `retry` would do; writes nothing.

    Raises:
        InputError: as `retry` would.
    """
    create_engine(config.engine, config.engine_options)  # refuses what it does not know
    store = PoseStore.open(config.poses)
    return _plan(store, config, _remaking(store, config))


def _remaking(store: PoseStore, config: RetryConfig) -> Remaking:
    """By the stage that made the store.

    Raises:
        InputError: the catalog, the estimator or the format cannot be used, or an option is
            not one for such a store.
    """
    if store.configuration.get("stage") != IMPORT:
        return _extract_again(store, config)
    if config.catalog is not None:
        raise InputError(
            f"{store.url} was imported, so that --catalog tells nothing of its sources: leave it "
            "out"
        )
    max_bytes = config.max_source_bytes
    return import_again(store, ignore_times=config.ignore_times, max_bytes=max_bytes)


def _extract_again(store: PoseStore, config: RetryConfig) -> Remaking:
    catalog = readable_videos(Path(config.catalog or _hint(store)))
    planned = PlannedVideos(store.plans(), catalog)
    settings = _settings(store.configuration, config)
    require_devices(settings.options.device, config.engine, config.engine_options)
    ignore_times = config.ignore_times

    def changes(entries: Iterable[VideoEntry]) -> Sequence[Change]:
        found = changed_videos(store, planned, catalog, ignore_times=ignore_times)
        return [*found, *changed_files(entries, planned, ignore_times=ignore_times)]

    return Remaking(
        EXTRACT,
        planned,
        extract_worker(config.poses, planned, catalog, settings, config.limits),
        changes,
        lambda uris: are_there(uris, FileCache.of_environment()),
    )


def _plan(store: PoseStore, config: RetryConfig, remaking: Remaking) -> RetryPlan:
    commits = store.committed()
    known = {entry.video_id: entry for commit in commits.values() for entry in commit.entries}
    if config.changed:
        candidates = {change.video_id for change in remaking.changes(known.values())}
    else:
        candidates = {each.video_id for each in known.values() if _is_asked_for(each, config)}
    selected = [known[video_id] for video_id in _named(config, known, candidates)]
    missing = [entry.video_id for entry in selected if entry.status is VideoStatus.MISSING]
    there = remaking.are_there([remaking.planned[video_id].uri for video_id in missing])
    absent = {video_id for video_id, found in zip(missing, there, strict=True) if not found}
    to_do = {entry.video_id: entry for entry in selected if entry.video_id not in absent}
    left = [each for commit in commits.values() if (each := remainder(commit, to_do)) is not None]
    return RetryPlan(
        statuses=Counter(str(entry.status) for entry in to_do.values()),
        still_missing=tuple(sorted(absent)),
        pending=tasks_again(remaking.stage, left, remaking.planned),
    )


def _is_asked_for(entry: VideoEntry, config: RetryConfig) -> bool:
    return entry.status in config.statuses and (
        not config.reasons or entry.reason in config.reasons
    )


def _named(
    config: RetryConfig, known: Mapping[str, VideoEntry], candidates: AbstractSet[str]
) -> Collection[str]:
    """The candidates, or those of them that the configuration names.

    Raises:
        InputError: it names another video.
    """
    if not config.video_ids:
        return candidates
    if unknown := sorted(set(config.video_ids) - candidates):
        states = [f"{i!r} is {known[i].status if i in known else 'not there'}" for i in unknown]
        reasons = f" for the reasons {', '.join(config.reasons)}" if config.reasons else ""
        wanted = f"are {', '.join(config.statuses)}{reasons}"
        raise InputError(
            f"{config.poses}: expected videos that {'changed' if config.changed else wanted}; "
            f"{', '.join(states[:5])}. Name others, or none to retry all of them."
        )
    return set(config.video_ids)


def _settings(stored: Mapping[str, Any], config: RetryConfig) -> PoseSettings:
    """The store's own; the worker refuses what would make other poses."""
    options = stored_options(stored)
    return PoseSettings(
        stored["estimator"],
        replace(
            options,
            device=config.device or options.device,
            weights=config.weights,
            threads=options.threads if options.reproducible else config.threads,
        ),
        DecodeSettings(config.decoders, stored_frames(stored), config.video_limits),
        config.batching,
        tracks=stored_tracks(stored),
    )


def _hint(store: PoseStore) -> str:
    if store.catalog_hint is None:
        raise InputError(f"{store.objects.url} names no catalog; give one with --catalog")
    return store.catalog_hint
