"""Shard workers that begin together and note when they did each shard, in any process."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from posemill.pipelines.tasks import (
    Emit,
    ShardOutcome,
    ShardResult,
    ShardTask,
    ShardWorker,
    WorkerSpec,
)

_POLL_SECONDS = 0.005


class TimedWorker:
    """Does shards as another worker does; satisfies `tasks.ShardWorker`."""

    def __init__(self, spec: WorkerSpec, notes: Path, num_workers: int) -> None:
        """Is ready when so many are; leaves a file for each shard in `notes`."""
        self._worker: ShardWorker = spec.build()
        self._notes, self._num_workers = notes, num_workers

    def ready(self) -> None:
        self._worker.ready()
        (self._notes / f"ready.{os.getpid()}").touch()
        while len(list(self._notes.glob("ready.*"))) < self._num_workers:
            time.sleep(_POLL_SECONDS)

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        began = time.time()
        result = self._worker.run(task, emit)
        (self._notes / f"shard.{task.shard_id}").write_text(json.dumps([began, time.time()]))
        return result

    def close(self) -> None:
        self._worker.close()


class NoWork:
    """Does nothing, which leaves what an engine costs; satisfies `tasks.ShardWorker`."""

    def ready(self) -> None:
        pass

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:  # noqa: ARG002 - it tells nothing
        return ShardResult(task.shard_id, ShardOutcome.COMMITTED)

    def close(self) -> None:
        pass


def span(notes: Path) -> tuple[float, float]:
    """When the first shard was begun and the last one done, in seconds of the clock."""
    times = [json.loads(path.read_text()) for path in notes.glob("shard.*")]
    return min(began for began, _ in times), max(ended for _, ended in times)
