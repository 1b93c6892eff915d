"""Shard workers that tell where they are, and wait for each other."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from posemill.pipelines.events import ItemDone
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask

_LONGEST_SECONDS = 120.0


class MeetingWorker:
    """Leaves `<shard>.json` with its process and GPUs; a shard is done when `meet` are begun.

    A worker has one shard at a time, so these are as many workers.
    """

    def __init__(self, folder: Path, meet: int = 1) -> None:
        self.folder, self.meet = folder, meet

    def ready(self) -> None:
        """It always is."""

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        place = {"pid": os.getpid(), "gpus": os.environ.get("CUDA_VISIBLE_DEVICES")}
        part = self.folder / f"{task.shard_id}.part"
        part.write_text(json.dumps(place))
        part.rename(part.with_suffix(".json"))
        deadline = time.monotonic() + _LONGEST_SECONDS
        while len(list(self.folder.glob("*.json"))) < self.meet:
            if time.monotonic() > deadline:
                raise RuntimeError("the others did not come")
            time.sleep(0.01)
        emit(ItemDone(task.shard_id, f"item-{task.shard_id}", "ok", num_frames=3))
        return ShardResult(task.shard_id, ShardOutcome.COMMITTED, task.num_items)

    def close(self) -> None:
        """Nothing is held."""


def places(folder: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
