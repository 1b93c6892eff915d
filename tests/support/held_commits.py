"""Extraction workers whose first commit on one node waits until a test lets it go on."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from processes import MARK

from posemill.pipelines.extract import extract_worker
from posemill.pipelines.extract_shard import ExtractWorker
from posemill.pipelines.tasks import WorkerSpec
from posemill.storage.poses import PoseStore, VideoRecord

_LONGEST_SECONDS = 200.0


def held_worker(folder: Path, mark: str, *arguments: Any) -> WorkerSpec:
    """As `extract_worker`, of a worker that a process with this mark holds up.

    It makes a file `reached`, waits for a file `go_on` and leaves in the file `outcome`
    whether its commit won.
    """
    spec = extract_worker(*arguments)
    held = {"folder": folder, "mark": mark}
    return WorkerSpec("held_commits:HeldWorker", {**spec.kwargs, **held})


class HeldWorker(ExtractWorker):
    def __init__(self, folder: Path, mark: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if os.environ.get(MARK) == mark:
            self._store = _HeldStore.open(kwargs["out"])
            self._store.folder = folder


class _HeldStore(PoseStore):
    folder: Path

    def write_shard(self, shard_id: int, records: Sequence[VideoRecord], **options: Any) -> bool:
        is_first = not (self.folder / "reached").exists()
        if is_first:
            self._tell("reached", str(shard_id))
            self._wait()
        won = super().write_shard(shard_id, records, **options)
        if is_first:
            self._tell("outcome", "won" if won else "lost")
        return won

    def _tell(self, name: str, text: str) -> None:
        """Leave a file that whoever waits for it finds whole: written beside it, then renamed."""
        part = self.folder / f"{name}.part"
        part.write_text(text)
        part.rename(self.folder / name)

    def _wait(self) -> None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while not (self.folder / "go_on").exists():
            if time.monotonic() > deadline:
                raise RuntimeError("nothing let the held commit go on")
            time.sleep(0.01)
