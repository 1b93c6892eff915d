"""A catalog of 650,000 clips without lengths: written, read, planned, resumed, in one process.

Prints seconds (wall, and of this process alone, which a busy machine does not
stretch) and the greatest memory so far. No video is there or looked at: what is
measured is what a driver does before its first shard begins, and a worker before
its first video.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from posemill.pipelines.plan import MAX_WORK_SECONDS, ShardLimits, begin_order
from posemill.pipelines.pose_plan import (
    PlannedVideos,
    changed_videos,
    make_plan,
    next_table,
    video_footage,
)
from posemill.pipelines.rates import store_rates
from posemill.schema import Clip, TimedLabel, Video, VideoStatus
from posemill.storage.catalog import (
    Catalog,
    CatalogVideos,
    read_catalog,
    read_catalog_videos,
    write_catalog,
)
from posemill.storage.poses import PlanTable, PoseStore, ShardCommit, VideoEntry

NUM_CLASSES = 700


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=650_000)
    num_clips = parser.parse_args().clips
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), num_clips)


def measure(folder: Path, num_clips: int) -> None:
    print(f"{num_clips:,} clips{'':34}wall     process    memory so far")
    with lap("made, as an index would"):
        catalog = made_up_catalog(num_clips)
    with lap("catalog written"):
        write_catalog(folder / "catalog", catalog)
    del catalog
    with lap("its videos read (extract)"):
        videos = read_catalog_videos(folder / "catalog")
    store = PoseStore.create(folder / "poses.zarr", {"made": "up"})
    with lap("planned, and the plan written"):
        table = new_table([], videos, 1.0)
        if table is None or not store.add_plan(0, table):
            raise AssertionError("a new store must take its first plan")
    shards = sorted(table.shards())
    with lap(f"half of {len(shards):,} shards committed (no poses)"):
        for shard, planned in list(table.shards().items())[::2]:
            store.supersede(missing(shard, store, planned))
    with lap("resumed: all that precedes the first shard"):
        resume(folder, videos)
    with lap("a worker reads its first shard's videos"):
        store.shard_videos(shards[-1])
    with lap("and those of a hundred others"):
        for shard in shards[:100]:
            store.shard_videos(shard)
    with lap("what is committed read (status, summary)"):
        PoseStore.open(folder / "poses.zarr").entries()
    with lap("catalog and clips read (materialize)"):
        read_catalog(folder / "catalog")


def new_table(
    tables: Sequence[PlanTable], catalog: CatalogVideos, work_seconds: float
) -> PlanTable | None:
    """As `extract` has it: of ten minutes of work a shard."""
    limits = partial(ShardLimits.of_job, max_cost=MAX_WORK_SECONDS / work_seconds)
    return next_table(tables, catalog, video_footage, limits)


def resume(folder: Path, known: CatalogVideos) -> None:
    """As `extract` does."""
    catalog = read_catalog_videos(folder / "catalog")
    store = PoseStore.open(folder / "poses.zarr")
    tables = store.plans()
    planned = PlannedVideos(tables, catalog)
    if changed_videos(store, planned, catalog, ignore_times=False):
        raise AssertionError("nothing changed")
    if new_table(tables, catalog, store_rates(store).work_seconds) is not None:
        raise AssertionError("all is planned")
    plan = make_plan("extract", planned, store.records(), store.remainders(), 0)
    if len(begin_order(plan.pending, 0)) != plan.num_shards // 2:
        raise AssertionError(f"half of {plan.num_shards} shards are to do")
    if len(known.videos) != plan.num_videos:
        raise AssertionError("the plan must be of the whole catalog")


def made_up_catalog(num_clips: int) -> Catalog:
    names = [f"train/class {i % NUM_CLASSES}/clip_{i:07d}" for i in range(num_clips)]
    return Catalog(
        name="made-up",
        root="/data",
        videos=[
            Video(name, f"{name}.mp4", 1_500_000 + i, f"{1_500_000 + i}-{10**18 + i}-{i:064x}")
            for i, name in enumerate(names)
        ],
        clips=tuple(
            Clip(
                id=name,
                video_id=name,
                labels=(TimedLabel(f"class {i % NUM_CLASSES}"),),
                splits={"default": "train"},
            )
            for i, name in enumerate(names)
        ),
        classes=tuple(f"class {i}" for i in range(NUM_CLASSES)),
    )


def missing(shard: int, store: PoseStore, videos: Sequence[Video]) -> ShardCommit:
    """A commit of videos none of which was there."""
    entries = [
        VideoEntry(
            video.id,
            VideoStatus.MISSING,
            "missing",
            "made up",
            video.identity,
            0,
            0,
            shard,
            "",
            0,
            rows=(0, 0),
        )
        for video in videos
    ]
    return ShardCommit(shard, 0, store.configuration_hash, tuple(entries), files={})


@contextmanager
def lap(name: str) -> Iterator[None]:
    wall, process = time.perf_counter(), time.process_time()
    yield
    wall, process = time.perf_counter() - wall, time.process_time() - process
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {name:<44}{wall:8.2f} s {process:8.2f} s {memory:10.0f} MiB")


if __name__ == "__main__":
    main()
