"""Workers that verify, with faults; importable by name from other processes.

Each puts what it has to remember beside the store.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from posemill.errors import EnvironmentFault
from posemill.pipelines.tasks import Emit, ShardResult, ShardTask
from posemill.pipelines.verify_shard import VerifyWorker
from posemill.storage.commits import RecordName
from posemill.storage.damage import Checked
from posemill.storage.objects import Place


class FaultyWorker(VerifyWorker):
    """Notes each attempt at a shard as a file: `2.0`, `2.1` and so on."""

    def __init__(self, place: Place, *, repair: bool, has_plans: bool) -> None:
        super().__init__(place, repair=repair, has_plans=has_plans)
        self.place = Path(place)

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        earlier = self._note(task)
        result = super().run(task, emit)
        self.befall(task, earlier)
        return result

    def befall(self, task: ShardTask, earlier: int) -> None:
        """What comes between the end of the work and its report."""

    def _note(self, task: ShardTask) -> int:
        notes = self.place.parent / "attempts"
        notes.mkdir(exist_ok=True)
        earlier = len(list(notes.glob(f"{task.shard_id}.*")))
        (notes / f"{task.shard_id}.{earlier}").touch()
        return earlier


class DyingWorker(FaultyWorker):
    """Is killed when it has done shard 1 for the first time."""

    def befall(self, task: ShardTask, earlier: int) -> None:
        if (task.shard_id, earlier) == (1, 0):
            os.kill(os.getpid(), signal.SIGKILL)


class OutOfReachWorker(FaultyWorker):
    """Never gets at shard 2."""

    def befall(self, task: ShardTask, earlier: int) -> None:  # noqa: ARG002 - at every attempt
        if task.shard_id == 2:
            raise EnvironmentFault("the network is gone")


class DefectiveWorker(FaultyWorker):
    """Has a defect, which shows at shard 2."""

    def befall(self, task: ShardTask, earlier: int) -> None:  # noqa: ARG002 - at every attempt
        if task.shard_id == 2:
            raise RuntimeError("a defect")


class OvertakenWorker(VerifyWorker):
    """Another repair mends what this one has found damaged, before it can."""

    def _check(self, name: RecordName) -> Checked:
        checked = super()._check(name)
        if checked.mend is not None:
            assert checked.mend()
        return checked


class OvertakenByDamageWorker(OvertakenWorker):
    """What the other one committed is damaged by then, too."""

    def _check(self, name: RecordName) -> Checked:
        checked = super()._check(name)
        if checked.mend is not None:
            later = RecordName(name.shard_id, name.generation + 1)
            record = self._store.objects.at("commits").read(str(later))
            self._store.objects.at("commits").write(str(later), record[:-2])
        return checked
