"""The local engine with workers in threads: as with processes, but that nothing can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from processes import wait_until
from thread_workers import BOOKS, Book

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.events import Event, ItemDone, ShardEnded, WorkerLost, WorkerRetired
from posemill.pipelines.tasks import ShardOutcome, ShardTask, WorkerSpec


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.nodeid)


def run(
    name: str, book: Book, number: int, options: EngineOptions
) -> tuple[RunReport, list[Event]]:
    BOOKS[name] = book
    events: list[Event] = []
    spec = WorkerSpec("thread_workers:BookedWorker", {"book": name}, in_threads=True)
    shards = [ShardTask("test", shard, num_items=1, cost=1.0) for shard in range(number)]
    return create_engine("local", options).run(shards, spec, events.append, "nowhere"), events


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_shard_is_done_once_and_tells_what_was_found(name: str, workers: int) -> None:
    book = Book()
    report, events = run(name, book, 5, EngineOptions(workers=workers))
    assert [result.shard_id for result in report.results] == [0, 1, 2, 3, 4]
    assert {result.outcome for result in report.results} == {ShardOutcome.VERIFIED}
    told = [(result.findings or {})["by"] for result in report.results]
    assert sorted(zip(told, range(5), strict=True)) == sorted(book.attempts)
    assert {e.item_id for e in events if isinstance(e, ItemDone)} == {f"item-{i}" for i in range(5)}
    assert sorted(e.shard_id for e in events if isinstance(e, ShardEnded)) == [0, 1, 2, 3, 4]
    assert sorted(book.closed) == list(range(len(book.workers)))


def test_as_many_shards_as_workers_are_done_at_once(name: str) -> None:
    book = Book(parties=3)
    report, _ = run(name, book, 6, EngineOptions(workers=3))
    assert not report.failed  # each waits until two others are begun, too
    assert len(book.workers) == 3


def test_no_more_workers_than_shards_are_started(name: str) -> None:
    book = Book()
    run(name, book, 1, EngineOptions(workers=3))
    assert len(book.workers) == 1


def test_no_tasks_is_no_work(name: str) -> None:
    book = Book()
    report, events = run(name, book, 0, EngineOptions(workers=2))
    assert (report.results, events, book.workers) == ((), [], [])


def test_a_failing_shard_is_tried_three_times_and_the_others_complete(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    book = Book("raises")
    report, _ = run(name, book, 4, EngineOptions(workers=2))
    assert [result.shard_id for result in report.failed] == [1]
    assert report.failed[0].message == "RuntimeError: out of luck"
    assert sorted(shard for _, shard in book.attempts) == [0, 1, 1, 1, 2, 3]
    assert "RuntimeError: out of luck" in capfd.readouterr().err


def test_a_passing_fault_is_survived(name: str) -> None:
    report, _ = run(name, Book("raises_once"), 3, EngineOptions(workers=2))
    assert not report.failed


def test_a_worker_whose_disk_is_broken_retires_and_another_one_does_its_shards(name: str) -> None:
    book = Book("first_is_broken")
    report, events = run(name, book, 6, EngineOptions(workers=2))
    assert not report.failed
    (retired,) = [event for event in events if isinstance(event, WorkerRetired)]
    assert "3 shards in a row failed: the disk is gone" in retired.message
    assert [worker for worker, _ in book.attempts].count(0) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [("not_ready", "the disk is gone"), ("cannot_be_built", "RuntimeError: no such thing")],
)
def test_workers_that_cannot_start_end_the_run_with_the_cause(
    name: str, fault: str, words: str
) -> None:
    with pytest.raises(EnvironmentFault, match=words):
        run(name, Book(fault), 3, EngineOptions(workers=2))


def test_a_shard_that_takes_too_long_is_given_to_another_worker(name: str) -> None:
    """The first one cannot be killed: nobody hears it any more, and it is closed in the end."""
    book = Book("hangs_once")
    options = EngineOptions(workers=1, shard_timeout_seconds=0.5)
    report, events = run(name, book, 3, options)
    assert not report.failed
    (lost,) = [event for event in events if isinstance(event, WorkerLost)]
    assert lost.shard_ids == (1,)
    assert "shard 1 was not done after 0.5 s" in lost.message
    assert book.closed == [1]
    heard = len(events)
    book.released.set()
    assert book.ended.wait(60)
    assert (book.closed, len(events)) == ([1, 0], heard)
    assert [(r.findings or {})["by"] for r in report.results][1] == 1


def test_a_worker_that_is_never_ready_is_closed_when_it_comes_to_be(name: str) -> None:
    book = Book("never_ready")
    with pytest.raises(EnvironmentFault, match=r"a worker was not ready after 0\.2 s"):
        run(name, book, 1, EngineOptions(start_timeout_seconds=0.2))
    assert book.closed == []
    book.released.set()
    assert book.ended.wait(60)
    assert book.closed == [0]


def test_no_thread_is_left_when_a_run_is_done(name: str) -> None:
    before = threading.active_count()
    run(name, Book(), 5, EngineOptions(workers=3))
    wait_until(lambda: threading.active_count() <= before)


def test_a_shard_that_hangs_keeps_no_process_alive(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text("""
from thread_workers import BOOKS, Book
from posemill.errors import EnvironmentFault
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.tasks import ShardTask, WorkerSpec

BOOKS["here"] = Book("hangs_once")
spec = WorkerSpec("thread_workers:BookedWorker", {"book": "here"}, in_threads=True)
options = EngineOptions(max_attempts=1, shard_timeout_seconds=0.2)
(result,) = create_engine("local", options).run(
    [ShardTask("test", 1, 1, 1.0)], spec, lambda event: None, "nowhere"
).results
print(result.message)
""")
    support = Path(__file__).parents[2] / "support"
    environment = {**os.environ, "PYTHONPATH": str(support)}
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "its worker was dismissed" in done.stdout
