"""The chain from videos to poses and features, as the tests call it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event
from posemill.pipelines.extract import ExtractConfig, extract
from posemill.pipelines.materialize import MaterializeConfig, MaterializeSummary, materialize
from posemill.pipelines.pose_job import PoseSummary
from posemill.schema import PoseSequence
from posemill.storage.catalog import write_catalog
from posemill.storage.datasets.folder import index_folder
from posemill.storage.poses import PoseStore


def ignore(event: Event) -> None:
    """Takes an event and does nothing."""


def index(videos: Path, catalog: Path) -> Path:
    write_catalog(catalog, index_folder(videos), overwrite=True)
    return catalog


def extract_config(
    catalog: Path, out: Path, *, workers: int = 1, videos_per_shard: int | None = 2
) -> ExtractConfig:
    return ExtractConfig(
        catalog=catalog,
        out=out,
        estimator="figure",
        options=EstimatorOptions(reproducible=True),
        engine_options=EngineOptions(workers=workers),
        videos_per_shard=videos_per_shard,
    )


def run_extract(
    catalog: Path, out: Path, *, workers: int = 1, videos_per_shard: int | None = 2
) -> PoseSummary:
    config = extract_config(catalog, out, workers=workers, videos_per_shard=videos_per_shard)
    return extract(config, ignore)


def run_materialize(
    poses: Path,
    out: Path,
    recipe: str,
    *settings: str,
    workers: int = 1,
    catalog: Path | None = None,
) -> MaterializeSummary:
    config = MaterializeConfig(
        poses=poses,
        out=out,
        recipe=recipe,
        settings=settings,
        catalog=catalog,
        engine_options=EngineOptions(workers=workers),
    )
    return materialize(config, ignore)


def all_poses(store: Path) -> dict[str, PoseSequence]:
    opened = PoseStore.open(store)
    return {
        video_id: opened.read(video_id)
        for video_id, entry in opened.entries().items()
        if entry.status.has_frames
    }


def assert_equal_poses(ours: Path, theirs: Path) -> None:
    """Every array of every video is equal, bit for bit."""
    mine, other = all_poses(ours), all_poses(theirs)
    assert mine.keys() == other.keys()
    for video_id, pose in mine.items():
        for name in ("xy_px", "score", "frame", "slot", "pts_seconds"):
            np.testing.assert_array_equal(
                getattr(pose, name), getattr(other[video_id], name), err_msg=f"{video_id} {name}"
            )


def markers(store: Path) -> dict[str, tuple[int, bytes]]:
    """Name of each commit record to its time of writing and its bytes."""
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted((store / "commits").glob("s*.json"))
    }
