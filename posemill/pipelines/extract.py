"""Videos to poses: plans, resumes and sums up; `extract_shard` does the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import randbits
from time import monotonic
from typing import Any

from posemill.errors import InputError
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.decode import DecodeSettings
from posemill.pipelines.dense_forecast import forecast_dense
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.estimate.batch_size import require_batch
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.pipelines.events import Event, StageEnded, StageStarted
from posemill.pipelines.extract_plan import (
    STAGE,
    ExtractPlan,
    PlannedVideos,
    changed_videos,
    make_plan,
    next_table,
    require_unchanged,
)
from posemill.pipelines.forecast import Forecast, forecast
from posemill.pipelines.plan import begin_order
from posemill.pipelines.pose_settings import PoseSettings
from posemill.pipelines.quarantine_limit import DEFAULT_SHARE, QuarantineLimit
from posemill.pipelines.rates import ASSUMED, Rates, store_rates
from posemill.pipelines.supervise import Limits
from posemill.pipelines.tasks import ShardOutcome, WorkerSpec
from posemill.schema import VideoStatus
from posemill.storage.catalog import CatalogVideos, read_catalog_videos
from posemill.storage.catalog_boxes import has_boxes
from posemill.storage.commits import RecordName
from posemill.storage.durable import input_faults
from posemill.storage.files.fetch import require_supported
from posemill.storage.objects import Place
from posemill.storage.pose_mending import Remainder
from posemill.storage.poses import PlanTable, PoseStore
from posemill.storage.store_root import is_absent
from posemill.transforms.tracking import TrackSettings


@dataclass(frozen=True, slots=True)
class ExtractConfig:
    """What to extract, with which estimator, and how much of the machine to use."""

    catalog: Path
    out: Place
    estimator: str
    options: EstimatorOptions = field(default_factory=EstimatorOptions)
    engine: str = "local"
    engine_options: EngineOptions = field(default_factory=EngineOptions)
    limits: Limits = field(default_factory=Limits)
    """Of time and memory, for the processes that decode and estimate."""
    decoding: DecodeSettings = field(default_factory=DecodeSettings)
    batching: BatchSettings = field(default_factory=BatchSettings)
    tracks: TrackSettings = field(default_factory=TrackSettings)
    max_quarantined: float = DEFAULT_SHARE
    """The share of the videos tried that may be quarantined before the job stops."""
    videos_per_shard: int | None = None
    """Of a new plan; None takes 256, or fewer where there would not be 16 shards."""
    ignore_times: bool = False
    """Whether a file counts as unchanged when its size, first and last MiB are as before."""

    @property
    def pose_settings(self) -> PoseSettings:
        return PoseSettings(self.estimator, self.options, self.decoding, self.batching, self.tracks)


@dataclass(frozen=True, slots=True)
class ExtractSummary:
    """What a store holds after a run, and what the run did."""

    statuses: Mapping[str, int]
    not_whole: Mapping[str, str]
    """Id of each missing, quarantined or damaged video to its status and message."""
    num_frames: int
    num_extracted_videos: int
    num_lost_videos: int
    """Done here, too, while another run did them and was first to commit them."""
    seconds: float
    plan: ExtractPlan

    def as_dict(self) -> dict[str, Any]:
        return {
            "videos": sum(self.statuses.values()),
            **{status: self.statuses.get(status, 0) for status in VideoStatus},
            "frames": self.num_frames,
            "extracted_now": self.num_extracted_videos,
            "extracted_twice": self.num_lost_videos,
            "shards_of_other_catalogs": self.plan.num_other_shards,
            "seconds": round(self.seconds, 2),
            "not_whole": dict(self.not_whole),
        }


def extract(config: ExtractConfig, on_event: Callable[[Event], None]) -> ExtractSummary:
    """Extract every video of the catalog that the store does not hold yet.

    Of two runs on one store at once each begins the shards in an order of its
    own and passes over those that the other one has committed.

    Raises:
        InputError: the catalog, the estimator or the output cannot be used, or a
            video is not the one any more that its poses were made from.
        EnvironmentFault: shards failed; what was committed stays.
    """
    started = monotonic()
    engine = create_engine(config.engine, config.engine_options)
    catalog = readable_videos(config.catalog)
    _require_boxes(config)
    estimator = create_estimator(config.estimator, config.options)
    require_batch(estimator.spec, config.batching.frames)
    store = PoseStore.open_or_create(
        config.out,
        config.pose_settings.configuration(estimator),
        catalog_hint=str(config.catalog.resolve()),
    )
    planned, plan = _extend_plan(store, catalog, config)
    worker = extract_worker(
        config.out,
        planned,
        catalog,
        config.pose_settings,
        config.limits,
    )
    on_event(StageStarted(STAGE, len(plan.pending), sum(task.num_items for task in plan.pending)))
    limited = QuarantineLimit(config.max_quarantined, on_event)
    report = engine.run(begin_order(plan.pending, randbits(64)), worker, limited, store.mailbox)
    on_event(StageEnded(STAGE, monotonic() - started))
    report.require_success(STAGE)
    return _summary(store, plan, report, monotonic() - started)


def plan_extract(config: ExtractConfig) -> Forecast:
    """What `extract` would do; writes nothing.

    Raises:
        InputError: as `extract` would.
    """
    catalog = readable_videos(config.catalog)
    _require_boxes(config)
    estimator = create_estimator(config.estimator, config.options)
    require_batch(estimator.spec, config.batching.frames)
    configuration = config.pose_settings.configuration(estimator)
    state = _State()
    if not is_absent(config.out):
        store = PoseStore.open(config.out)
        store.require_configuration(configuration)
        state = _read_state(store, catalog, config)
    new = _next_table(state, catalog, config)
    planned, plan = _plan(state, new, catalog)
    with input_faults(catalog.root):
        expected = forecast(plan, planned, state.rates, config.engine_options.workers)
    footage = expected.footage_seconds
    dense = forecast_dense(estimator, config.pose_settings, footage, state.rates)
    return replace(expected, dense=dense)


def readable_videos(catalog: Path) -> CatalogVideos:
    """The videos of the catalog at a path.

    Raises:
        InputError: there is none, or they are at addresses that cannot be read here.
    """
    videos = read_catalog_videos(catalog)
    require_supported(videos.paths())
    return videos


def _require_boxes(config: ExtractConfig) -> None:
    """Raises:
    InputError: people are to be where the catalog has them, and it has no boxes.
    """
    if config.options.boxes_given and not has_boxes(config.catalog):
        raise InputError(
            f"--boxes catalog: no clip of {config.catalog} has boxes of people; leave the option "
            "out, so that the estimator finds people by itself, or give a catalog with boxes"
        )


def extract_worker(
    out: Place,
    planned: PlannedVideos,
    catalog: CatalogVideos,
    settings: PoseSettings,
    limits: Limits,
) -> WorkerSpec:
    """How to build a worker that extracts shards of the store at `out`."""
    return WorkerSpec(
        "posemill.pipelines.extract_shard:ExtractWorker",
        {
            "source_root": catalog.root,
            "moved": planned.moved,
            "out": out,
            "settings": settings,
            "limits": limits,
            "boxes": catalog.path if settings.options.boxes_given else None,
        },
    )


@dataclass(frozen=True, slots=True)
class _State:
    """What there is before a run: of a store that is yet to be made, nothing."""

    tables: Sequence[PlanTable] = ()
    rates: Rates = ASSUMED
    committed: Mapping[int, RecordName] = field(default_factory=dict)
    remainders: Mapping[int, Remainder] = field(default_factory=dict)


def _read_state(store: PoseStore, catalog: CatalogVideos, config: ExtractConfig) -> _State:
    """Raises:
    InputError: a video is not the one any more that its poses were made from.
    """
    tables = store.plans()
    planned = PlannedVideos(tables, catalog)
    changes = changed_videos(store, planned, catalog, ignore_times=config.ignore_times)
    require_unchanged(store, changes, config.catalog)
    return _State(tables, store_rates(store), store.records(), store.remainders())


def _extend_plan(
    store: PoseStore, catalog: CatalogVideos, config: ExtractConfig
) -> tuple[PlannedVideos, ExtractPlan]:
    """Freeze a plan for the videos that no plan holds yet; another driver may be first."""
    while True:
        state = _read_state(store, catalog, config)
        new = _next_table(state, catalog, config)
        if new is None or store.add_plan(new.number, new):
            return _plan(state, new, catalog)


def _next_table(state: _State, catalog: CatalogVideos, config: ExtractConfig) -> PlanTable | None:
    rate = state.rates.work_seconds
    return next_table(state.tables, catalog, rate, config.videos_per_shard)


def _plan(
    state: _State, new: PlanTable | None, catalog: CatalogVideos
) -> tuple[PlannedVideos, ExtractPlan]:
    planned = PlannedVideos([*state.tables, *([] if new is None else [new])], catalog)
    num_new = 0 if new is None else len(new.videos)
    return planned, make_plan(planned, state.committed, state.remainders, num_new)


def _summary(
    store: PoseStore, plan: ExtractPlan, report: RunReport, seconds: float
) -> ExtractSummary:
    entries = store.entries()
    return ExtractSummary(
        statuses=Counter(str(entry.status) for entry in entries.values()),
        not_whole={
            video_id: f"{entry.status}: {entry.message}"
            for video_id, entry in entries.items()
            if entry.status not in (VideoStatus.OK, VideoStatus.EMPTY)
        },
        num_frames=sum(entry.frames_decoded for entry in entries.values()),
        num_extracted_videos=report.num_items(ShardOutcome.COMMITTED),
        num_lost_videos=report.num_items(ShardOutcome.LOST_RACE),
        seconds=seconds,
        plan=plan,
    )
