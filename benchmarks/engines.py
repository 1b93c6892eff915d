"""Shards a second on each engine, over a bare loop in as many processes: make bench-engines.

The peer is what anybody would write: processes that build the worker once and take
shard after shard from a queue, without a word to anybody. All do the same shards of
`extract`, with the store's commits; they are timed from the first shard begun, when
every worker is ready, to the last one done. Runs alternate; the figures are medians. A
cluster of Ray that has just been started still works for itself during the first seconds,
so a run must be long enough: half a minute by default.

A second table has shards without any work: what an engine costs for each, how long
it takes from its start to the first one, and how long a shard must be so that the
engine takes a twentieth of it at most. Beam's runner here is the pinned local one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from timed_workers import TimedWorker, span

from posemill.errors import MissingDependency
from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.engines import ENGINES, create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event
from posemill.pipelines.extract import (
    ExtractConfig,
    extract,
    extract_worker,
    plan_extract,
    readable_videos,
)
from posemill.pipelines.fixtures import FixtureParameters, write_fixtures
from posemill.pipelines.pose_plan import PlannedVideos
from posemill.pipelines.tasks import ShardTask, WorkerSpec
from posemill.storage.catalog import write_catalog
from posemill.storage.datasets.folder import index_folder
from posemill.storage.poses import PoseStore

BARE = "bare loop"
WANTED = {"local": (BARE, 0.95), "ray": ("local", 0.97), "beam": ("local", 0.97)}
"""Shards a second over those of a peer, at least."""
_SHARE = 0.05
"""Of a shard's time, which an engine may take."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run."""

    start_seconds: float
    """From the call to the first shard begun."""
    work_seconds: float
    """From there to the last shard done."""


def measure(name: str, tasks: Sequence[ShardTask], spec: WorkerSpec, workers: int) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder)
        timed = WorkerSpec(
            "timed_workers:TimedWorker", {"spec": spec, "notes": notes, "num_workers": workers}
        )
        called = time.time()
        if name == BARE:
            run_bare(tasks, timed, workers)
        else:
            engine = create_engine(name, EngineOptions(workers=workers))
            engine.run(tasks, timed, _ignore, notes / "mail").require_success(name)
        began, ended = span(notes)
    return Run(began - called, ended - began)


def run_bare(tasks: Sequence[ShardTask], spec: WorkerSpec, workers: int) -> None:
    context = multiprocessing.get_context("spawn")
    queue: SimpleQueue[ShardTask | None] = context.SimpleQueue()
    processes = [context.Process(target=_loop, args=(spec, queue)) for _ in range(workers)]
    for process in processes:
        process.start()
    for task in (*tasks, *[None] * workers):
        queue.put(task)
    for process in processes:
        process.join()


def _loop(spec: WorkerSpec, queue: SimpleQueue[ShardTask | None]) -> None:
    worker = spec.build()
    assert isinstance(worker, TimedWorker)  # noqa: S101 - it is the only one here
    worker.ready()
    while (task := queue.get()) is not None:
        worker.run(task, _ignore)
    worker.close()


def _ignore(event: Event) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Extraction:
    """Videos and a store whose plan is made and none of whose shards is."""

    config: ExtractConfig

    @classmethod
    def make(cls, root: Path, num_shards: int, videos_per_shard: int) -> Extraction:
        parameters = FixtureParameters(num_clips=num_shards * videos_per_shard, seed=3)
        write_fixtures(root / "videos", parameters, workers=2)
        write_catalog(root / "catalog", index_folder(root / "videos"))
        config = ExtractConfig(
            root / "catalog",
            root / "planned.zarr",
            "figure",
            EstimatorOptions(),
            engine_options=EngineOptions(workers=2),
            videos_per_shard=videos_per_shard,
        )
        extract(config, _ignore)
        for part in ("commits", "shards"):
            for made in (root / "planned.zarr" / part).glob("s*"):
                (shutil.rmtree if made.is_dir() else os.unlink)(made)
        return cls(config)

    def fresh(self, out: Path) -> tuple[Sequence[ShardTask], WorkerSpec]:
        """A copy of the store, its shards, and who makes them."""
        shutil.copytree(self.config.out, out)
        config = replace(self.config, out=out)
        catalog = readable_videos(config.catalog)
        planned = PlannedVideos(PoseStore.open(out).plans(), catalog)
        spec = extract_worker(out, planned, catalog, config.pose_settings, config.limits)
        return plan_extract(config).plan.pending, spec


def compare(job: Extraction, names: Sequence[str], workers: int, repeats: int) -> bool:
    """Print what each engine reaches; whether all reach what they should."""
    rates: dict[str, list[float]] = {name: [] for name in names}
    for number in range(repeats):
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                tasks, spec = job.fresh(Path(folder) / "poses.zarr")
                run = measure(name, tasks, spec, workers)
            rates[name].append(len(tasks) / run.work_seconds)
            print(f"  run {number + 1}: {name} {rates[name][-1]:.3f} shards/s", flush=True)
    reached = {name: statistics.median(found) for name, found in rates.items()}
    print(f"\n{'engine':10} {'shards/s':>9}  ratio to its peer, run by run")
    print(f"{BARE:10} {reached[BARE]:9.3f}")
    verdicts = []
    for name in names[1:]:
        peer, wanted = WANTED[name]
        ratios = [ours / theirs for ours, theirs in zip(rates[name], rates[peer], strict=True)]
        ratio = statistics.median(ratios)
        each = " ".join(f"{ratio:.2f}" for ratio in ratios)
        verdict = "reached" if ratio >= wanted else "MISSED"
        print(f"{name:10} {reached[name]:9.3f}  {ratio:.3f} of {peer} ({each}); {wanted} {verdict}")
        verdicts.append(ratio >= wanted)
    return all(verdicts)


def cost(names: Sequence[str], num_shards: int, workers: int, repeats: int) -> None:
    """Print what an engine takes without any work."""
    tasks = [ShardTask("none", number, 0, 1.0) for number in range(num_shards)]
    run = partial(measure, tasks=tasks, spec=WorkerSpec("timed_workers:NoWork"), workers=workers)
    print(f"\n{'engine':10} {'start, s':>9} {'ms a shard':>11} {'shortest shard, s':>18}")
    for name in names:
        runs = [run(name) for _ in range(repeats)]
        start = statistics.median(each.start_seconds for each in runs)
        shard = statistics.median(each.work_seconds for each in runs) / num_shards * workers
        print(f"{name:10} {start:9.2f} {1e3 * shard:11.2f} {shard / _SHARE:18.2f}")


def installed(names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        try:
            create_engine(name, EngineOptions())
            found.append(name)
        except MissingDependency as error:
            print(f"{name} is left out: {error}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shards", type=int, default=32, help="with work")
    parser.add_argument("--videos", type=int, default=8, help="of a shard")
    parser.add_argument("--empty-shards", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # for workers of any engine
    names = [BARE, *installed(list(ENGINES))]

    with tempfile.TemporaryDirectory() as folder:
        job = Extraction.make(Path(folder), asked.shards, asked.videos)
        print(f"{asked.shards} shards of {asked.videos} videos, {asked.workers} workers")
        reached = compare(job, names, asked.workers, asked.repeats)
    cost(names, asked.empty_shards, asked.workers, asked.repeats)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
