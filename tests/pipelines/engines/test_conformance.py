"""What every engine must do, whatever it places the shards on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.engines import ENGINES, create_engine
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.events import (
    Event,
    ItemDone,
    ItemStarted,
    ShardEnded,
    WorkerLost,
    WorkerRetired,
)
from posemill.pipelines.tasks import ShardOutcome, ShardTask, WorkerSpec

pytestmark = pytest.mark.parametrize("engine_name", sorted(ENGINES))


@pytest.fixture(autouse=True)
def _engine_is_there(engine_name: str, request: pytest.FixtureRequest) -> None:
    """What an engine runs on is started once, not by each test."""
    if engine_name == "ray":
        request.getfixturevalue("ray_driver")


def tasks(number: int) -> list[ShardTask]:
    return [ShardTask("test", shard_id, num_items=1, cost=1.0) for shard_id in range(number)]


def run(
    engine_name: str,
    folder: Path,
    number: int,
    workers: int = 2,
    fault: str = "",
    shard: int = -1,
    max_losses: int = 3,
    *,
    worker: str = "RecordingWorker",
    overlap: int = 2,
    shard_timeout: float | None = None,
) -> tuple[RunReport, list[Event]]:
    events: list[Event] = []
    spec = WorkerSpec(
        f"shard_workers:{worker}",
        {"folder": folder, "fault": fault, "shard_with_fault": shard},
    )
    options = EngineOptions(
        workers=workers,
        max_losses=max_losses,
        overlap=overlap,
        shard_timeout_seconds=shard_timeout,
    )
    report = create_engine(engine_name, options).run(
        tasks(number), spec, events.append, folder.parent / "mail"
    )
    return report, events


def attempts(folder: Path, shard_id: int) -> int:
    return len(list(folder.glob(f"{shard_id}.*")))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_shard_is_done_once(engine_name: str, tmp_path: Path, workers: int) -> None:
    report, events = run(engine_name, tmp_path, number=5, workers=workers)
    assert [result.shard_id for result in report.results] == [0, 1, 2, 3, 4]
    assert not report.failed
    assert [attempts(tmp_path, shard) for shard in range(5)] == [1] * 5
    assert {e.item_id for e in events if isinstance(e, ItemDone)} == {f"item-{i}" for i in range(5)}
    assert sorted(e.shard_id for e in events if isinstance(e, ShardEnded)) == [0, 1, 2, 3, 4]


def test_no_more_workers_than_shards_are_started(engine_name: str, tmp_path: Path) -> None:
    run(engine_name, tmp_path, number=1, workers=3)
    assert len({path.name.split(".")[1] for path in tmp_path.iterdir()}) == 1


def test_no_tasks_is_no_work(engine_name: str, tmp_path: Path) -> None:
    report, events = run(engine_name, tmp_path, number=0)
    assert report.results == ()
    assert events == []


def test_a_failing_shard_is_tried_three_times_and_the_others_complete(
    engine_name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report, _ = run(engine_name, tmp_path, number=4, fault="raises", shard=2)
    assert [result.shard_id for result in report.failed] == [2]
    assert "out of disk" in report.failed[0].message
    assert attempts(tmp_path, 2) == 3
    assert [attempts(tmp_path, shard) for shard in (0, 1, 3)] == [1, 1, 1]
    said: list[str] = []  # what a worker elsewhere prints may come a little later
    wait_until(lambda: "RuntimeError: out of disk" in _more(said, capfd))
    with pytest.raises(EnvironmentFault, match=r"1 of 4 shards failed.*same command again"):
        report.require_success("test")


def test_a_passing_fault_is_survived(engine_name: str, tmp_path: Path) -> None:
    report, _ = run(engine_name, tmp_path, number=3, fault="raises_once", shard=1)
    assert not report.failed
    assert attempts(tmp_path, 1) == 2


def test_a_worker_that_hangs_is_ended_when_the_time_of_its_shard_is_over(
    engine_name: str, tmp_path: Path
) -> None:
    report, events = run(
        engine_name, tmp_path, 3, fault="hangs_once", shard=1, shard_timeout=1, max_losses=1
    )
    assert not report.failed  # it is an attempt, not a loss
    assert attempts(tmp_path, 1) == 2
    (lost,) = [event for event in events if isinstance(event, WorkerLost)]
    assert lost.shard_ids == (1,)
    assert "shard 1 was not done after 1 s" in lost.message


def test_a_shard_that_always_hangs_fails_after_three_attempts(
    engine_name: str, tmp_path: Path
) -> None:
    report, _ = run(engine_name, tmp_path, 2, fault="hangs", shard=0, shard_timeout=1)
    (failed,) = report.failed
    assert failed.shard_id == 0
    assert "was not done after 1 s" in failed.message
    assert attempts(tmp_path, 0) == 3


def test_a_killed_worker_is_replaced(engine_name: str, tmp_path: Path) -> None:
    report, events = run(engine_name, tmp_path, number=4, fault="killed_once", shard=0)
    assert not report.failed
    assert attempts(tmp_path, 0) == 2
    (lost,) = [event for event in events if isinstance(event, WorkerLost)]
    assert lost.shard_ids == (0,)
    assert "item-0" in lost.message


def test_a_shard_that_always_kills_its_worker_fails_and_names_the_suspect(
    engine_name: str, tmp_path: Path
) -> None:
    report, _ = run(engine_name, tmp_path, number=3, fault="killed", shard=1)
    (failed,) = report.failed
    assert failed.shard_id == 1
    assert failed.outcome is ShardOutcome.FAILED
    assert "while it worked on item-1" in failed.message
    assert attempts(tmp_path, 1) == 3


def test_an_idle_worker_takes_over_the_shard_of_a_lost_one(
    engine_name: str, tmp_path: Path
) -> None:
    # Shard 0 is begun first, sleeps until shard 1 is done, and only then loses its worker.
    report, _ = run(engine_name, tmp_path, number=2, fault="killed_late", shard=0)
    assert not report.failed
    assert attempts(tmp_path, 0) == 2


@pytest.mark.parametrize(
    ("fault", "words"), [("not_ready", "the device is gone"), ("dies_early", "exit code 7")]
)
def test_workers_that_cannot_start_end_the_run_with_the_cause(
    engine_name: str, tmp_path: Path, fault: str, words: str
) -> None:
    with pytest.raises(EnvironmentFault, match=words):
        run(engine_name, tmp_path, number=3, fault=fault)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_is_killed_before_it_is_ready_is_replaced(
    engine_name: str, tmp_path: Path
) -> None:
    report, events = run(engine_name, tmp_path, number=2, workers=1, fault="killed_early")
    assert not report.failed
    assert len([event for event in events if isinstance(event, WorkerLost)]) == 1


def test_a_worker_whose_device_is_broken_retires_and_another_one_does_its_shards(
    engine_name: str, tmp_path: Path
) -> None:
    report, events = run(engine_name, tmp_path, number=6, fault="one_broken")
    assert not report.failed
    (retired,) = [event for event in events if isinstance(event, WorkerRetired)]
    assert "3 shards in a row failed: the device is lost" in retired.message
    assert sorted(attempts(tmp_path, shard) for shard in range(6)) == [1, 1, 1, 2, 2, 2]


def test_a_worker_whose_faults_pass_is_not_retired(engine_name: str, tmp_path: Path) -> None:
    """Four of its eight shards fail at first, and none after another."""
    report, events = run(engine_name, tmp_path, number=8, workers=1, fault="now_and_then")
    assert not report.failed
    assert [attempts(tmp_path, shard) for shard in range(8)] == [2, 1] * 4
    assert not [event for event in events if isinstance(event, WorkerRetired)]


def test_the_only_shard_goes_to_another_worker_when_the_first_ones_device_is_broken(
    engine_name: str, tmp_path: Path
) -> None:
    report, _ = run(engine_name, tmp_path, number=1, fault="one_broken")
    assert not report.failed
    assert attempts(tmp_path, 0) == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_with_no_healthy_worker_left_the_run_stops_and_says_why(
    engine_name: str, tmp_path: Path, workers: int
) -> None:
    with pytest.raises(EnvironmentFault, match=rf"no healthy.*of {workers}.*the device is lost"):
        run(engine_name, tmp_path, number=8, workers=workers, fault="all_broken")


def order(events: list[Event]) -> list[tuple[str, int]]:
    """What was begun and what ended, and of which shard."""
    told = [event for event in events if isinstance(event, ItemStarted | ShardEnded)]
    return [("begin" if isinstance(e, ItemStarted) else "end", e.shard_id) for e in told]


def one_by_one(*shards: int) -> list[tuple[str, int]]:
    return [(what, shard) for shard in shards for what in ("begin", "end")]


def test_a_worker_begins_a_shard_while_it_drains_another(engine_name: str, tmp_path: Path) -> None:
    report, _ = run(engine_name, tmp_path, 4, workers=1, worker="DrainingWorker")
    assert not report.failed  # each waits until its partner is begun, too


def test_with_an_overlap_of_one_a_worker_does_shards_one_by_one(
    engine_name: str, tmp_path: Path
) -> None:
    _, events = run(
        engine_name, tmp_path, 3, workers=1, fault="alone", worker="DrainingWorker", overlap=1
    )
    assert order(events) == one_by_one(0, 1, 2)


def test_a_shard_goes_to_a_worker_that_has_none_before_one_that_drains(
    engine_name: str, tmp_path: Path
) -> None:
    """Also while that worker is yet to be ready: the last shards are shared evenly."""
    report, _ = run(engine_name, tmp_path, 2, workers=2, worker="DrainingWorker")
    assert not report.failed
    assert len({path.name.split(".")[1] for path in tmp_path.iterdir()}) == 2


def test_a_worker_that_is_lost_loses_both_its_shards(engine_name: str, tmp_path: Path) -> None:
    """They are tried again each alone, as either may have killed it."""
    report, events = run(
        engine_name, tmp_path, 4, workers=1, fault="killed", shard=0, worker="DrainingWorker"
    )
    assert not report.failed
    assert [attempts(tmp_path, shard) for shard in range(4)] == [2, 2, 1, 1]
    (lost,) = [event for event in events if isinstance(event, WorkerLost)]
    assert lost.shard_ids == (0, 1)
    assert "while it worked on item-0, item-1" in lost.message
    assert order(events)[-4:] == one_by_one(0, 1)


def test_a_fault_of_the_environment_fails_both_shards_of_a_worker(
    engine_name: str, tmp_path: Path
) -> None:
    report, events = run(
        engine_name, tmp_path, 4, workers=1, fault="broken", shard=0, worker="DrainingWorker"
    )
    assert not report.failed
    assert [attempts(tmp_path, shard) for shard in range(4)] == [2, 2, 1, 1]
    assert not [event for event in events if isinstance(event, WorkerLost | WorkerRetired)]
    assert sorted(order(events)[-4::2]) == [("begin", 0), ("begin", 1)]  # one by one


def test_what_a_retired_worker_was_at_is_done_by_another(engine_name: str, tmp_path: Path) -> None:
    """It hung in one shard while three beside that failed; this is no loss of the shard."""
    report, events = run(engine_name, tmp_path, 8, max_losses=1, worker="RetiringWorker")
    assert not report.failed
    assert len([event for event in events if isinstance(event, WorkerRetired)]) == 1


def test_no_worker_outlives_a_killed_driver(engine_name: str, tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2] / "support")!r})
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.tasks import ShardTask, WorkerSpec
if __name__ == "__main__":
    worker = WorkerSpec("shard_workers:RecordingWorker",
        dict(folder=Path({str(tmp_path)!r}), fault="hangs", shard_with_fault=0))
    create_engine({engine_name!r}, EngineOptions()).run(
        [ShardTask("test", 0, 1, 1.0)], worker, print, {str(tmp_path.parent / "mail")!r})
"""
    driver = subprocess.Popen([sys.executable, "-c", script])
    wait_until(lambda: any(tmp_path.iterdir()))
    (worker_pid,) = [int(path.name.split(".")[1]) for path in tmp_path.iterdir()]
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    wait_until(lambda: not is_alive(worker_pid))


def test_options_are_validated(engine_name: str) -> None:
    with pytest.raises(InputError, match="workers must be at least 1, got 0"):
        EngineOptions(workers=0)


def test_an_unknown_engine_is_refused_by_name(engine_name: str) -> None:
    with pytest.raises(InputError, match=f"'nope'.*{engine_name}"):
        create_engine("nope", EngineOptions())


def _more(said: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """All that was printed to standard error until now."""
    said.append(capfd.readouterr().err)
    return "".join(said)


def wait_until(condition: object, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"
