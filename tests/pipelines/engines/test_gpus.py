from __future__ import annotations

from pathlib import Path

import pytest

from posemill.errors import InputError
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.engines.gpus import GpuShares, machine_gpus
from posemill.pipelines.engines.local import LocalEngine
from posemill.pipelines.tasks import ShardTask, WorkerSpec


@pytest.mark.parametrize(
    ("per_worker", "workers", "expected"),
    [
        (1, 3, ["a", "b", "c"]),
        (2, 1, ["a,b"]),
        (0.5, 6, ["a", "a", "b", "b", "c", "c"]),
        (1 / 3, 9, ["a", "a", "a", "b", "b", "b", "c", "c", "c"]),
        (0.4, 6, ["a", "a", "b", "b", "c", "c"]),
        (0, 9, [None] * 9),
    ],
)
def test_each_worker_has_its_share(
    per_worker: float, workers: int, expected: list[str | None]
) -> None:
    shares = GpuShares(("a", "b", "c"), per_worker, workers)
    assert [shares.of(slot) for slot in range(workers)] == expected


@pytest.mark.parametrize(
    ("per_worker", "workers", "room"), [(1, 4, 3), (2, 2, 1), (0.5, 7, 6), (4, 1, 0)]
)
def test_more_than_there_are_is_refused(per_worker: float, workers: int, room: int) -> None:
    with pytest.raises(InputError, match=rf"workers {workers}, .*machine: 3, .*: {room}\."):
        GpuShares(("a", "b", "c"), per_worker, workers)


def test_a_machine_without_any_refuses_workers_with_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match=r"gpus_per_worker 1; GPUs of this machine: 0"):
        LocalEngine(EngineOptions(gpus_per_worker=1))


@pytest.mark.parametrize(
    ("visible", "expected"),
    [("0,1", ("0", "1")), ("", ()), ("-1", ()), (" GPU-8f, 3", ("GPU-8f", "3"))],
)
def test_only_the_visible_gpus_count(
    monkeypatch: pytest.MonkeyPatch, visible: str, expected: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine_gpus() == expected


@pytest.mark.parametrize(
    ("status", "expected"), [(0, ("GPU-aa", "GPU-bb")), (9, ())], ids=["two", "no driver"]
)
def test_else_the_driver_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, expected: tuple[str, ...]
) -> None:
    """A program of the driver's name, as there need be none on this machine."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho GPU-aa\necho GPU-bb\nexit {status}\n")
    program.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine_gpus() == expected


def test_workers_see_their_gpus_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    engine = LocalEngine(EngineOptions(workers=2, gpus_per_worker=1))
    spec = WorkerSpec("shard_workers:GpuRecordingWorker", {"folder": tmp_path})
    tasks = [ShardTask("test", shard_id, num_items=1, cost=1.0) for shard_id in range(2)]
    report = engine.run(tasks, spec, lambda _: None, tmp_path)
    assert not report.failed
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["5", "7"]


@pytest.mark.parametrize("number", [-1, 1.5, float("nan")])
def test_parts_of_several_gpus_are_refused(number: float) -> None:
    with pytest.raises(InputError, match="gpus_per_worker is a whole number, or a fraction"):
        EngineOptions(gpus_per_worker=number)
