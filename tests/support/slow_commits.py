"""An extraction worker whose first commit lasts as long as a test wants."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posemill.pipelines.extract import extract_worker
from posemill.pipelines.extract_shard import ExtractWorker
from posemill.pipelines.tasks import WorkerSpec
from posemill.storage.poses import PoseStore, VideoRecord

_LONGEST_SECONDS = 120.0


def slow_worker(gate: Path, *arguments: Any) -> WorkerSpec:
    """As `extract_worker`, of a worker whose first commit waits until there is a file `gate`."""
    spec = extract_worker(*arguments)
    return WorkerSpec("slow_commits:SlowWorker", {**spec.kwargs, "gate": gate})


class SlowWorker(ExtractWorker):
    def __init__(self, gate: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._store = _SlowStore.open(kwargs["out"])
        self._store.gate = gate


class _SlowStore(PoseStore):
    gate: Path
    waited = False

    def write_shard(self, shard_id: int, records: Sequence[VideoRecord], **options: Any) -> bool:
        if not self.waited:
            self.waited = True
            self._wait()
        return super().write_shard(shard_id, records, **options)

    def _wait(self) -> None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while not self.gate.exists():
            if time.monotonic() > deadline:
                raise RuntimeError("nothing opened the gate of the first commit")
            time.sleep(0.01)
