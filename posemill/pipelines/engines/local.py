"""The local engine: worker processes on this machine, or threads of the driver's own."""

from __future__ import annotations

from collections.abc import Sequence

from posemill.pipelines.engines.base import EngineOptions, OnEvent, RunReport, refuse_parameters
from posemill.pipelines.engines.crew import Crew
from posemill.pipelines.engines.gpus import GpuShares
from posemill.pipelines.engines.worker_process import ProcessHost
from posemill.pipelines.engines.worker_threads import ThreadHost
from posemill.pipelines.tasks import ShardTask, WorkerSpec
from posemill.storage.objects import Place


class LocalEngine:
    """Worker processes on this machine; satisfies `engines.base.Engine`.

    A worker that may run in threads does, unless it gets GPUs: those are a process's.
    """

    def __init__(self, options: EngineOptions) -> None:
        """Raises:
        InputError: parameters, which it has none of, or more GPUs than the machine has.
        """
        refuse_parameters("local", options.parameters, {})
        self._options = options
        self._gpus = GpuShares.of_machine(options.gpus_per_worker, options.workers)

    def run(
        self,
        tasks: Sequence[ShardTask],
        worker: WorkerSpec,
        on_event: OnEvent,
        mailbox: Place,  # noqa: ARG002 - its workers have pipes or queues
    ) -> RunReport:
        """As `Engine.run`."""
        if worker.in_threads and not self._options.gpus_per_worker:
            return Crew(ThreadHost(worker), self._options, on_event).run(tasks)
        return Crew(ProcessHost(worker, self._gpus), self._options, on_event).run(tasks)
