"""Shard workers with faults, importable by name from spawned processes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from posemill.errors import EnvironmentFault
from posemill.pipelines.events import ItemDone, ItemStarted, ShardDraining
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask


class RecordingWorker:
    """Writes `<shard>.<pid>.<number>` for every attempt; `fault` says what goes wrong."""

    def __init__(self, folder: Path, fault: str = "", shard_with_fault: int = -1) -> None:
        self.folder = folder
        self.fault = fault
        self.shard_with_fault = shard_with_fault

    def ready(self) -> None:
        if self.fault == "not_ready":
            raise EnvironmentFault("the device is gone")
        if self.fault == "dies_early":
            os._exit(7)
        if self.fault == "killed_early" and not (self.folder / "claimed").exists():
            (self.folder / "claimed").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        earlier = self._begin(task, emit)
        if self.fault == "all_broken" or (self.fault == "one_broken" and self._is_broken()):
            raise EnvironmentFault("the device is lost")
        if self.fault == "now_and_then" and earlier == 0 and task.shard_id % 2 == 0:
            raise EnvironmentFault("the network was away")
        if task.shard_id == self.shard_with_fault:
            self._fail(earlier)
        return _done(task, emit)

    def close(self) -> None:
        """Nothing is held."""

    def _begin(self, task: ShardTask, emit: Emit) -> int:
        """Note an attempt; how many there were before."""
        earlier = len(list(self.folder.glob(f"{task.shard_id}.*")))
        emit(ItemStarted(task.shard_id, f"item-{task.shard_id}"))
        (self.folder / f"{task.shard_id}.{os.getpid()}.{earlier}").touch()
        return earlier

    def _is_broken(self) -> bool:
        """The first worker that asks is, and stays so."""
        claim = self.folder / "claimed"
        with contextlib.suppress(FileExistsError), claim.open("x") as file:
            file.write(str(os.getpid()))
        return claim.read_text() == str(os.getpid())

    def _fail(self, earlier: int) -> None:
        if self.fault == "raises":
            raise RuntimeError("out of disk")
        if self.fault == "raises_once" and earlier == 0:
            raise RuntimeError("out of disk")
        if self.fault == "killed" or (self.fault == "killed_once" and earlier == 0):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "killed_late" and earlier == 0:
            while not list(self.folder.glob("1.*")):
                time.sleep(0.01)
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "hangs" or (self.fault == "hangs_once" and earlier == 0):
            time.sleep(600)


class DrainingWorker(RecordingWorker):
    """Takes a shard beside the one that it is at.

    Shards 0 and 1, 2 and 3 ... wait for each other; then a fault befalls the pair
    of `shard_with_fault`. Neither happens when a shard is tried again.
    """

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        earlier = self._begin(task, emit)
        emit(ShardDraining(task.shard_id))
        partner = task.shard_id ^ 1
        if earlier == 0 and self.fault != "alone":
            self._wait_for(partner)
            if self.shard_with_fault in (task.shard_id, partner):
                self._befall()
        return _done(task, emit)

    def _wait_for(self, shard_id: int) -> None:
        deadline = time.monotonic() + 60
        while not list(self.folder.glob(f"{shard_id}.*")):
            if time.monotonic() > deadline:
                raise RuntimeError(f"shard {shard_id} is not begun")
            time.sleep(0.01)

    def _befall(self) -> None:
        if self.fault == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise EnvironmentFault("the device is lost")


class RetiringWorker(RecordingWorker):
    """The first that asks hangs in its first shard, beside which three others fail.

    The others wait for that.
    """

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        self._begin(task, emit)
        is_broken = self._is_broken()
        is_first = self._attempts_of_broken() == 1
        emit(ShardDraining(task.shard_id))
        if is_broken:
            if is_first:
                time.sleep(600)
            raise EnvironmentFault("the device is lost")
        while self._attempts_of_broken() < 4:
            time.sleep(0.01)
        return _done(task, emit)

    def _attempts_of_broken(self) -> int:
        pid = (self.folder / "claimed").read_text()
        return len(list(self.folder.glob(f"*.{pid}.*")))


class CommittingWorker(RecordingWorker):
    """Passes over what was done before."""

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        if list(self.folder.glob(f"{task.shard_id}.*")):
            return ShardResult(task.shard_id, ShardOutcome.SKIPPED)
        return super().run(task, emit)


def _done(task: ShardTask, emit: Emit) -> ShardResult:
    emit(ItemDone(task.shard_id, f"item-{task.shard_id}", "ok", 3))
    return ShardResult(task.shard_id, ShardOutcome.COMMITTED, task.num_items)


class GpuRecordingWorker(RecordingWorker):
    """Writes which GPUs it sees; the two shards wait for each other, in workers of their own."""

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        seen = os.environ["CUDA_VISIBLE_DEVICES"]
        (self.folder / str(task.shard_id)).write_text(seen)
        while len(list(self.folder.iterdir())) < 2:
            time.sleep(0.01)
        return _done(task, emit)
