"""While a shard is committed, its worker's child is at the next one."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from chain import assert_equal_poses, extract_config, markers
from slow_commits import slow_worker

from posemill.pipelines import extract as stage
from posemill.pipelines.events import Event, ItemStarted, ShardEnded, WorkerLost
from posemill.pipelines.extract import extract
from posemill.pipelines.pose_job import PoseSummary


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file without which a worker's first commit does not end."""
    path = tmp_path / "gate"
    monkeypatch.setattr(stage, "extract_worker", partial(slow_worker, path))
    return path


def run(catalog: Path, out: Path, on_second: Callable[[], None]) -> tuple[PoseSummary, list[Event]]:
    """Extract with one worker; when a second shard is begun, `on_second` is called."""
    events: list[Event] = []

    def note(event: Event) -> None:
        begun = begun_shards(events)
        events.append(event)
        if len(begun) == 1 and begun != begun_shards(events):
            on_second()

    return extract(extract_config(catalog, out, workers=1), note), events


def begun_shards(events: list[Event]) -> list[int]:
    """In the order of their first videos."""
    shards = [event.shard_id for event in events if isinstance(event, ItemStarted)]
    return list(dict.fromkeys(shards))


def test_the_next_shard_is_begun_before_a_commit_ends(
    catalog: Path, poses: Path, tmp_path: Path, gate: Path
) -> None:
    """Only that lets the commit go on."""
    out = tmp_path / "poses.zarr"
    summary, events = run(catalog, out, gate.touch)
    first, second, *_ = begun_shards(events)
    ends = [event.shard_id for event in events if isinstance(event, ShardEnded)]
    assert ends.index(first) < ends.index(second)
    assert summary.statuses == {"ok": 8}
    assert len(markers(out)) == 4
    assert_equal_poses(out, poses)


def test_a_worker_killed_at_two_shards_costs_no_more_than_both(
    catalog: Path, poses: Path, tmp_path: Path, gate: Path
) -> None:
    out = tmp_path / "poses.zarr"

    def kill() -> None:
        assert markers(out) == {}
        (worker,) = multiprocessing.active_children()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        gate.touch()

    summary, events = run(catalog, out, kill)
    first, second, *_ = begun_shards(events)
    (lost,) = [event for event in events if isinstance(event, WorkerLost)]
    assert lost.shard_ids == (first, second)
    assert summary.statuses == {"ok": 8}
    assert_equal_poses(out, poses)
