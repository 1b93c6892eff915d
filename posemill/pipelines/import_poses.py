"""Pose files to poses: plans, resumes and sums up; `import_shard` does the work."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from posemill.errors import InputError, UnreadablePoses
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event
from posemill.pipelines.import_settings import STAGE, ImportSettings
from posemill.pipelines.plan import Float64, ShardLimits
from posemill.pipelines.pose_job import PoseJob, PoseSummary, run_plan
from posemill.pipelines.pose_plan import PlannedVideos, PosePlan, next_table
from posemill.pipelines.quarantine_limit import DEFAULT_SHARE, QuarantineLimit
from posemill.pipelines.tasks import WorkerSpec
from posemill.schema import Video
from posemill.storage.catalog import read_catalog_videos
from posemill.storage.durable import input_faults
from posemill.storage.files.location import is_address
from posemill.storage.formats.base import PoseFormat, Source
from posemill.storage.objects import Place, absolute_place
from posemill.storage.poses import PlanTable, PoseStore
from posemill.storage.store_root import is_absent
from posemill.storage.videos import VideoTable, require_unique

MAX_SHARD_BYTES = 64e6
"""Of a shard's sources: what a worker reads until it commits, and holds as poses."""
MAX_SOURCE_BYTES = 1 << 30
"""Of one source, whose poses a worker holds as a whole, in some three times its bytes of JSON."""


@dataclass(frozen=True, slots=True)
class ImportConfig:
    """Which files to import, and how much of the machine to use."""

    source: Path
    """A folder, or one file."""
    out: Place
    settings: ImportSettings
    catalog: Path | None = None
    """The catalog whose clips and labels `materialize` shall take; its videos need not be there."""
    engine: str = "local"
    engine_options: EngineOptions = field(default_factory=EngineOptions)
    max_bytes: int = MAX_SOURCE_BYTES
    max_quarantined: float = DEFAULT_SHARE
    """The share of the sources tried that may be quarantined before the job stops."""
    videos_per_shard: int | None = None
    """Of a new plan; None takes 256, or fewer where there would not be 16 shards."""
    ignore_times: bool = False
    """Whether a file counts as unchanged when its size, first and last MiB are as before."""


@dataclass(frozen=True, slots=True)
class FoundVideos:
    """The videos of which there are pose files; satisfies `pose_plan.ListedVideos`."""

    videos: VideoTable

    def paths(self) -> list[str]:
        return self.videos.uris()


def import_poses(config: ImportConfig, on_event: Callable[[Event], None]) -> PoseSummary:
    """Import every source that the store does not hold yet.

    Raises:
        InputError: the source, the catalog or the output cannot be used, or a file is not the
            one any more that its poses were made from.
        EnvironmentFault: shards failed; what was committed stays.
    """
    engine = create_engine(config.engine, config.engine_options)
    listed = _find(config, _open(config))
    hint = _catalog_hint(config, listed)
    store = PoseStore.open_or_create(config.out, config.settings.configuration(), catalog_hint=hint)
    planned, plan = _job(config, listed).freeze_plan(store)
    worker = import_worker(config.source, config.out, planned, config.settings, config.max_bytes)
    limited = QuarantineLimit(config.max_quarantined, on_event)
    return run_plan(plan, store, worker, engine, limited)


def plan_import(config: ImportConfig) -> PosePlan:
    """What `import_poses` would do; writes nothing.

    Raises:
        InputError: as `import_poses` would.
    """
    create_engine(config.engine, config.engine_options)  # refuses what it does not know
    store = _open(config)
    listed = _find(config, store)
    _catalog_hint(config, listed)
    return _job(config, listed).plan(store)[1]


def import_worker(
    root: Path, out: Place, planned: PlannedVideos, settings: ImportSettings, max_bytes: int
) -> WorkerSpec:
    """How to build a worker that imports shards of the store at `out`."""
    return WorkerSpec(
        "posemill.pipelines.import_shard:ImportWorker",
        {
            "root": root.absolute(),
            "moved": planned.moved,
            "out": absolute_place(out),
            "settings": settings,
            "max_bytes": max_bytes,
        },
    )


def _open(config: ImportConfig) -> PoseStore | None:
    """The store as it is; None where it is yet to be made.

    Raises:
        ConfigurationMismatch: it was made in another way.
    """
    if is_absent(config.out):
        return None
    store = PoseStore.open(config.out)
    store.require_configuration(config.settings.configuration())
    return store


def _find(config: ImportConfig, store: PoseStore | None) -> FoundVideos:
    """Every source that is there now.

    Raises:
        InputError: there is none, or one that may not be read or whose path cannot be an id.
    """
    root, given = config.source.absolute(), config.settings.format
    if is_address(str(config.source)):
        raise InputError(
            f"{config.source}: pose files are read from a folder; copy or mount what is at an "
            "address, then give the folder"
        )
    tables = [] if store is None else store.plans()
    known = {video.uri: video.identity for table in tables for video in table.videos}
    with input_faults(root):
        root.stat()
        try:
            videos = [_video(given, source, known) for source in given.find(root)]
        except UnreadablePoses as error:
            raise InputError(f"{error}. Correct the file or move it away, then import.") from error
        if not videos:
            raise InputError(
                f"{root}: no poses of {given.name} in it, at any depth, going by the names of "
                "files; give the folder that holds them, or the file itself where it holds some; "
                f"`posemill formats {given.name}` tells what is taken"
            )
    try:
        require_unique("video id", [video.id for video in videos])
    except ValueError as error:
        raise InputError(f"{root}: {error}. Import its folders apart.") from error
    return FoundVideos(VideoTable.of(videos))


def _video(given: PoseFormat, source: Source, known: Mapping[str, str]) -> Video:
    """`known` are the identities that sources had."""
    seen = given.look(source.uri, known.get(source.uri, ""))
    try:
        return Video(source.video_id, source.uri, seen.num_bytes, seen.identity)
    except ValueError as error:
        raise InputError(
            f"{source.uri!r}: {error}. Rename the file or the folder, then import again."
        ) from error


def _catalog_hint(config: ImportConfig, listed: FoundVideos) -> str | None:
    """Raises:
    InputError: the catalog has none of the videos.
    """
    if config.catalog is None:
        return None
    known, ids = set(read_catalog_videos(config.catalog).videos.ids()), listed.videos.ids()
    if not known & set(ids):
        raise InputError(
            f"{config.catalog}: has none of the {len(ids)} videos imported, such as {ids[0]!r}, "
            f"but such as {min(known, default='none')!r}; ids are paths below the folder given, "
            "so import and index the folders that correspond"
        )
    return str(config.catalog.resolve())


def _job(config: ImportConfig, listed: FoundVideos) -> PoseJob:
    def new_table(tables: Sequence[PlanTable], _store: PoseStore | None) -> PlanTable | None:
        return next_table(
            tables,
            listed,
            _bytes,
            lambda number: ShardLimits.of_job(number, MAX_SHARD_BYTES, config.videos_per_shard),
        )

    def remedy(store: PoseStore) -> str:
        return (
            f"Import them again with `posemill retry {shlex.quote(store.url)} --changed`, or "
            "import into a new store."
        )

    return PoseJob(STAGE, listed, new_table, remedy, config.ignore_times)


def _bytes(videos: VideoTable) -> Float64:
    """(N,) bytes to read, as the cost of each."""
    return np.asarray(videos.num_bytes(), np.float64)
