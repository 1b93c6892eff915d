"""An engine for tests that change what is below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from posemill.pipelines.engines.base import RunReport
from posemill.pipelines.events import Event
from posemill.pipelines.tasks import ShardTask, WorkerSpec
from posemill.storage.objects import Place


class InThisProcess:
    """One worker in the caller's own process, whose events come when they happen."""

    def run(
        self,
        tasks: Sequence[ShardTask],
        worker: WorkerSpec,
        on_event: Callable[[Event], None],
        _: Place,
    ) -> RunReport:
        made = worker.build()
        try:
            made.ready()
            return RunReport(tuple(made.run(task, on_event) for task in tasks))
        finally:
            made.close()
