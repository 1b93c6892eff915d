"""Through a real job server: pipelines and workers are pickled, and run in other processes."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from beam_servers import job_server, worker_pool
from chain import assert_equal_poses, index, run_extract
from chaos import posemill, run
from processes import MARK, is_alive, marked, wait_until

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.events import Event, ItemDone, ItemStarted
from posemill.pipelines.tasks import ShardTask, WorkerSpec

pytest.importorskip("apache_beam", reason="the extra beam is not installed")

HARNESS = "sdk_worker import SdkHarness"
"""In the command line of a process that the pool starts."""


@pytest.fixture(scope="module")
def mark() -> str:
    """In the environment of all processes that the pool starts."""
    return uuid.uuid4().hex


@pytest.fixture(scope="module")
def runners(
    tmp_path_factory: pytest.TempPathFactory, mark: str
) -> Iterator[dict[str, dict[str, str]]]:
    """Options of a runner with each kind of environment."""
    folder = tmp_path_factory.mktemp("servers")
    with job_server(folder) as server, worker_pool(folder, {MARK: mark}) as pool:
        common = {"runner": "PortableRunner", "job_endpoint": server}
        external = {"environment_type": "EXTERNAL", "environment_config": pool}
        yield {
            "LOOPBACK": {**common, "environment_type": "LOOPBACK"},
            "EXTERNAL": {**common, **external},
        }


@pytest.fixture(scope="module")
def mixed(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog of two good videos and a broken one; beside it their poses by the local engine."""
    root = tmp_path_factory.mktemp("mixed")
    (root / "videos").mkdir()
    for number, video in enumerate(sorted(videos.rglob("*.mp4"))[:2]):
        shutil.copy(video, root / "videos" / f"good{number}.mp4")
    (root / "videos" / "broken.mp4").write_bytes(b"no video")
    catalog = index(root / "videos", root / "catalog")
    run_extract(catalog, root / "local.zarr", videos_per_shard=1)
    return catalog


@pytest.mark.parametrize("environment", ["LOOPBACK", "EXTERNAL"])
def test_an_extraction_gives_what_the_local_engine_gives(
    environment: str, mixed: Path, runners: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    poses = tmp_path / "poses.zarr"
    options = [f"--engine-option={key}={value}" for key, value in runners[environment].items()]
    said = run(
        posemill(
            *("extract", mixed, "-o", poses, "--estimator", "figure", "--reproducible"),
            *("--shard-videos", 1, "--engine", "beam", "--workers", 2, *options),
        ),
        expected=1,
    )
    assert "broken: quarantined" in said
    assert "(1 quarantined, 2 ok)" in said
    assert "leaked" not in said
    assert_equal_poses(poses, mixed.parent / "local.zarr")
    assert [path.name for path in (poses / "mail").iterdir()] == ["zarr.json"]


def place_shards(
    runner: dict[str, str], folder: Path, fault: str, on_event: object = print
) -> RunReport:
    notes = folder / "notes"
    notes.mkdir(exist_ok=True)
    worker = WorkerSpec(
        "shard_workers:CommittingWorker",
        {"folder": notes, "fault": fault, "shard_with_fault": 1},
    )
    options = EngineOptions(workers=2, start_timeout_seconds=15, parameters=runner)
    tasks = [ShardTask("test", shard_id, num_items=1, cost=1.0) for shard_id in range(3)]
    return create_engine("beam", options).run(tasks, worker, on_event, folder / "mail")  # type: ignore[arg-type]


def test_the_cause_of_a_job_that_fails_comes_to_the_driver(
    runners: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    with pytest.raises(EnvironmentFault, match=r"no healthy.*of 2; .*: the device is gone"):
        place_shards(runners["EXTERNAL"], tmp_path, "not_ready")


def test_what_ends_the_driver_ends_the_workers_elsewhere(
    runners: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, ItemStarted) and event.shard_id == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place_shards(runners["EXTERNAL"], tmp_path, "hangs", stop)
    (note,) = (tmp_path / "notes").glob("1.*")
    wait_until(lambda: not is_alive(int(note.name.split(".")[1])))


def test_a_process_of_the_runner_that_is_killed_is_told_and_the_next_run_completes(
    runners: dict[str, dict[str, str]], tmp_path: Path, mark: str
) -> None:
    """Beam's own job server waits for ever for one; others begin again elsewhere."""

    def kill(event: Event) -> None:
        if isinstance(event, ItemDone) and event.shard_id == 2:
            (harness,) = [pid for pid, command in marked(mark).items() if HARNESS in command]
            os.kill(harness, signal.SIGKILL)

    with pytest.raises(EnvironmentFault, match=r"for 15 s no process .* 1 of 3 shards are not"):
        place_shards(runners["EXTERNAL"], tmp_path, "hangs", kill)
    for note in (tmp_path / "notes").glob("1.*"):
        note.unlink()  # that one never was committed
    report = place_shards(runners["EXTERNAL"], tmp_path, "")
    assert [str(result.outcome) for result in report.results] == ["skipped", "committed", "skipped"]
