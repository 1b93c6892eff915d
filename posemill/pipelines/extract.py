"""Videos to poses: plans, resumes and sums up; `extract_shard` does the work."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from posemill.errors import InputError
from posemill.models.estimators.base import Estimator, EstimatorOptions
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.decode import DecodeSettings
from posemill.pipelines.dense_forecast import forecast_dense
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.estimate.batch_size import require_batch
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.pipelines.events import Event
from posemill.pipelines.forecast import Forecast, forecast
from posemill.pipelines.plan import MAX_WORK_SECONDS, ShardLimits
from posemill.pipelines.pose_job import PoseJob, PoseSummary, run_plan
from posemill.pipelines.pose_plan import PlannedVideos, next_table, video_footage
from posemill.pipelines.pose_settings import PoseSettings
from posemill.pipelines.quarantine_limit import DEFAULT_SHARE, QuarantineLimit
from posemill.pipelines.rates import ASSUMED, Rates, store_rates
from posemill.pipelines.supervise import Limits
from posemill.pipelines.tasks import WorkerSpec
from posemill.pipelines.worker_devices import for_driver, require_devices
from posemill.storage.catalog import CatalogVideos, read_catalog_videos
from posemill.storage.catalog_boxes import has_boxes
from posemill.storage.durable import input_faults
from posemill.storage.files.fetch import require_supported
from posemill.storage.objects import Place, absolute_place
from posemill.storage.poses import PlanTable, PoseStore
from posemill.storage.store_root import is_absent
from posemill.transforms.tracking import TrackSettings

STAGE = "extract"


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


def extract(config: ExtractConfig, on_event: Callable[[Event], None]) -> PoseSummary:
    """Extract every video of the catalog that the store does not hold yet.

    Raises:
        InputError: the catalog, the estimator or the output cannot be used, or a
            video is not the one any more that its poses were made from.
        EnvironmentFault: shards failed; what was committed stays.
    """
    engine = create_engine(config.engine, config.engine_options)
    catalog = readable_videos(config.catalog)
    _require_boxes(config)
    estimator = _estimator(config)
    store = PoseStore.open_or_create(
        config.out,
        config.pose_settings.configuration(estimator),
        catalog_hint=str(config.catalog.resolve()),
    )
    planned, plan = _job(config, catalog).freeze_plan(store)
    worker = extract_worker(config.out, planned, catalog, config.pose_settings, config.limits)
    limited = QuarantineLimit(config.max_quarantined, on_event)
    return run_plan(plan, store, worker, engine, limited)


def plan_extract(config: ExtractConfig) -> Forecast:
    """What `extract` would do; writes nothing.

    Raises:
        InputError: as `extract` would.
    """
    create_engine(config.engine, config.engine_options)  # refuses what it does not know
    catalog = readable_videos(config.catalog)
    _require_boxes(config)
    estimator = _estimator(config)
    configuration = config.pose_settings.configuration(estimator)
    store = None
    if not is_absent(config.out):
        store = PoseStore.open(config.out)
        store.require_configuration(configuration)
    planned, plan = _job(config, catalog).plan(store)
    rates = _rates(store)
    with input_faults(catalog.root):
        expected = forecast(plan, planned, rates, config.engine_options.workers)
    footage = expected.footage_seconds
    dense = forecast_dense(estimator, config.pose_settings, footage, rates)
    return replace(expected, dense=dense)


def _estimator(config: ExtractConfig) -> Estimator:
    """To ask what it is.

    Raises:
        InputError: it cannot be built so, or be used as the engine's workers would.
    """
    require_devices(config.options.device, config.engine, config.engine_options)
    estimator = create_estimator(config.estimator, for_driver(config.options, config.engine))
    require_batch(estimator.spec, config.batching.frames)
    return estimator


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
    """How to build a worker that extracts shards of the store at `out`, wherever it stands."""
    weights = settings.options.weights
    if weights is not None:
        options = replace(settings.options, weights=weights.absolute())
        settings = replace(settings, options=options)
    return WorkerSpec(
        "posemill.pipelines.extract_shard:ExtractWorker",
        {
            "source_root": catalog.root,
            "moved": planned.moved,
            "out": absolute_place(out),
            "settings": settings,
            "limits": limits,
            "boxes": catalog.path if settings.options.boxes_given else None,
        },
    )


def _job(config: ExtractConfig, catalog: CatalogVideos) -> PoseJob:
    def new_table(tables: Sequence[PlanTable], store: PoseStore | None) -> PlanTable | None:
        max_seconds = MAX_WORK_SECONDS / _rates(store).work_seconds
        return next_table(
            tables,
            catalog,
            video_footage,
            lambda number: ShardLimits.of_job(number, max_seconds, config.videos_per_shard),
        )

    def remedy(store: PoseStore) -> str:
        return (
            f"Extract them again with `posemill retry {shlex.quote(store.url)} --changed "
            f"--catalog {shlex.quote(str(config.catalog))}`, or extract into a new store."
        )

    return PoseJob(STAGE, catalog, new_table, remedy, config.ignore_times)


def _rates(store: PoseStore | None) -> Rates:
    return ASSUMED if store is None else store_rates(store)
