"""Two real nodes of a Ray cluster, one of which is lost while it works."""

from __future__ import annotations

import os
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from chain import assert_equal_poses, extract_config, ignore, markers
from held_commits import held_worker
from processes import marked, wait_until
from ray_nodes import add_node, kill

import posemill.pipelines.extract as stage
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event, ItemDone, ShardEnded, WorkerLost
from posemill.pipelines.verify import verify

pytest.importorskip("ray")

SHARDS = 4


@dataclass
class TwoNodes:
    """Each has room for one worker, by a resource that only they have."""

    options: EngineOptions
    doomed: str
    """The mark of what runs on the one that a test does away with."""


@pytest.fixture
def two_nodes(ray_cluster: Any) -> Iterator[TwoNodes]:
    name = f"place-{uuid.uuid4().hex}"
    marks = [uuid.uuid4().hex for _ in range(2)]
    nodes = [add_node(ray_cluster, mark, num_cpus=1, resources={name: 1}) for mark in marks]
    parameters = {"address": ray_cluster.address, "resources": f"{name}:1"}
    yield TwoNodes(EngineOptions(workers=2, parameters=parameters), marks[1])
    kill(marks[1])
    for node in nodes:
        ray_cluster.remove_node(node, allow_graceful=False)


def extract_on(
    nodes: TwoNodes,
    catalog: Path,
    out: Path,
    folder: Path,
    lose: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> list[Event]:
    """Extract on both nodes, and lose one when it is about to commit its first shard."""

    def lose_when_reached() -> None:
        wait_until((folder / "reached").exists, 120)
        lose()

    monkeypatch.setattr(stage, "extract_worker", partial(held_worker, folder, nodes.doomed))
    config = extract_config(catalog, out)
    config = replace(config, engine="ray", engine_options=nodes.options)
    events: list[Event] = []
    loser = Thread(target=lose_when_reached)
    loser.start()
    stage.extract(config, events.append)
    loser.join()
    return events


def lost_shards(events: list[Event]) -> tuple[int, ...]:
    """Of the one worker that was lost amid work; another may have been meant for its node."""
    (lost,) = [each for each in events if isinstance(each, WorkerLost) and each.shard_ids]
    return lost.shard_ids


def test_what_a_killed_node_was_at_is_done_by_another(
    two_nodes: TwoNodes, catalog: Path, poses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "poses.zarr"
    lose = partial(kill, two_nodes.doomed)
    events = extract_on(two_nodes, catalog, out, tmp_path, lose, monkeypatch)
    assert int((tmp_path / "reached").read_text()) in lost_shards(events)
    ended = Counter(event.shard_id for event in events if isinstance(event, ShardEnded))
    assert ended == dict.fromkeys(range(SHARDS), 1)
    assert len(markers(out)) == SHARDS
    assert verify(out, on_event=ignore).is_whole
    assert_equal_poses(out, poses)


def test_a_worker_that_was_cut_off_and_commits_late_loses(
    two_nodes: TwoNodes, catalog: Path, poses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "poses.zarr"
    lose = partial(kill, two_nodes.doomed, signal.SIGSTOP)
    events = extract_on(two_nodes, catalog, out, tmp_path, lose, monkeypatch)
    late = int((tmp_path / "reached").read_text())
    assert late in lost_shards(events)
    before = markers(out)
    assert len(before) == SHARDS
    # The node stays away: only its worker process goes on, and what that started.
    (tmp_path / "go_on").touch()
    for pid, command in marked(two_nodes.doomed).items():
        if "ray" not in command:
            os.kill(pid, signal.SIGCONT)
    wait_until((tmp_path / "outcome").exists)
    assert (tmp_path / "outcome").read_text() == "lost"
    assert markers(out) == before
    assert verify(out, on_event=ignore).is_whole
    assert_equal_poses(out, poses)
    assert len({event.item_id for event in events if isinstance(event, ItemDone)}) == 8
