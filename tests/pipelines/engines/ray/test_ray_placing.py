"""Where Ray puts workers, and what is said where it cannot."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from chain import ignore
from placed_workers import places
from ray_nodes import add_node

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.events import Event, WorkerRetired
from posemill.pipelines.tasks import ShardTask, WorkerSpec

ray = pytest.importorskip("ray")


def run(folder: Path, number: int, meet: int = 1, **options: Any) -> tuple[RunReport, list[Event]]:
    events: list[Event] = []
    engine = create_engine("ray", EngineOptions(**options))
    report = engine.run(
        [ShardTask("test", shard_id, 1, 1.0) for shard_id in range(number)],
        WorkerSpec("placed_workers:MeetingWorker", {"folder": folder, "meet": meet}),
        events.append,
        folder / "mail",
    )
    return report, events


def test_what_no_node_has_is_told_with_what_there_is(ray_driver: None, tmp_path: Path) -> None:
    with pytest.raises(
        EnvironmentFault,
        match=r"not ready after 2 s, see --start-timeout; each worker asks for 1 CPU, 1 GPU, and "
        r"the Ray cluster has 8 CPU \(8 free\), 0 GPU \(0 free\) on 1 node",
    ):
        run(tmp_path, 1, gpus_per_worker=1, start_timeout_seconds=2)


def test_the_run_goes_on_with_the_workers_that_have_a_place(
    ray_driver: None, tmp_path: Path
) -> None:
    options = {"workers": 3, "start_timeout_seconds": 20, "parameters": {"cpus": "4"}}
    report, events = run(tmp_path, 4, meet=2, **options)
    assert not report.failed
    assert len({place["pid"] for place in places(tmp_path)}) == 2
    told = [event.message for event in events if isinstance(event, WorkerRetired)]
    assert all("8 CPU (0 free)" in message for message in told)


def test_workers_share_a_gpu_that_they_ask_a_half_of(
    ray_cluster: Any, ray_driver: None, tmp_path: Path
) -> None:
    node = add_node(ray_cluster, num_cpus=2, num_gpus=1)
    try:
        report, _ = run(tmp_path, 2, meet=2, workers=2, gpus_per_worker=0.5)
    finally:
        ray_cluster.remove_node(node)
    assert not report.failed
    assert [place["gpus"] for place in places(tmp_path)] == ["0", "0"]
    assert len({place["pid"] for place in places(tmp_path)}) == 2


def test_two_runs_at_once_share_a_cluster(ray_driver: None, tmp_path: Path) -> None:
    """Each is done only when both have begun; the names of their workers do not clash."""
    other: list[RunReport] = []
    parameters = {"namespace": "both"}
    thread = Thread(target=lambda: other.append(run(tmp_path, 1, meet=2, parameters=parameters)[0]))
    thread.start()
    engine = create_engine("ray", EngineOptions(parameters=parameters))
    report = engine.run(
        [ShardTask("test", 7, 1, 1.0)],
        WorkerSpec("placed_workers:MeetingWorker", {"folder": tmp_path, "meet": 2}),
        ignore,
        tmp_path / "mail",
    )
    thread.join()
    assert not report.failed
    assert not other[0].failed


def test_a_process_that_is_connected_stays_so(
    ray_cluster: Any, ray_driver: None, tmp_path: Path
) -> None:
    run(tmp_path, 1, parameters={"address": ray_cluster.address})
    assert ray.is_initialized()
    with pytest.raises(InputError, match=r"is connected to the Ray cluster at .* already"):
        run(tmp_path, 1, parameters={"address": "elsewhere:6379"})
    with pytest.raises(InputError, match=r"give runtime_env and dashboard to the ray\.init"):
        run(tmp_path, 1, parameters={"dashboard": "true"})
