"""The local engine: worker processes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from multiprocessing.connection import wait
from time import monotonic

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.engines.shard_queue import ShardQueue
from posemill.pipelines.engines.worker_process import Message, NotReady, Ready, WorkerProcess
from posemill.pipelines.events import Event, ShardEnded, WorkerLost, WorkerRetired
from posemill.pipelines.tasks import ShardResult, ShardTask, WorkerSpec

_POLL_SECONDS = 0.5
_MAX_FAULTS = 3
"""Shards in a row that may fail for a worker's environment until it is retired."""


class LocalEngine:
    """Worker processes on this machine; satisfies `engines.base.Engine`."""

    def run(
        self,
        tasks: Sequence[ShardTask],
        worker: WorkerSpec,
        options: EngineOptions,
        on_event: Callable[[Event], None],
    ) -> RunReport:
        queue = ShardQueue(tasks, options)
        run = _Run(worker, options, on_event, queue)
        try:
            while not queue.finished:
                run.step()
        finally:
            run.close()
        return RunReport(results=queue.results())


class _Run:
    """The worker processes of one call of `LocalEngine.run`."""

    def __init__(
        self,
        worker: WorkerSpec,
        options: EngineOptions,
        on_event: Callable[[Event], None],
        queue: ShardQueue,
    ) -> None:
        self._worker, self._options, self._on_event, self._queue = worker, options, on_event, queue
        self._processes: dict[int, WorkerProcess] = {}
        self._numbers = count()
        self._retired = 0
        self._early_deaths = 0

    @property
    def _capacity(self) -> int:
        return self._options.workers - self._retired

    def step(self) -> None:
        """Start workers that are missing, give idle ones work, then take what they say."""
        while len(self._processes) < self._wanted():
            number = next(self._numbers)
            self._processes[number] = WorkerProcess.start(number, self._worker)
        self._assign()
        by_connection = {process.connection: process for process in self._processes.values()}
        for connection in wait(list(by_connection), timeout=_POLL_SECONDS):
            self._receive(by_connection[connection])  # type: ignore[index]
        self._check_starts()

    def close(self) -> None:
        for process in self._processes.values():
            process.stop()
        self._processes.clear()

    def _assign(self) -> None:
        """A shard for each that has none; others beside the last of a shard if there are more."""
        without = [process for process in self._processes.values() if not process.tasks]
        for process in without:
            if process.ready:
                self._give(process)
        reserved = sum(not process.tasks for process in without)
        for process in self._processes.values():
            can_begin = process.tasks and process.takes_another(self._options.overlap)
            if can_begin and self._queue.num_waiting > reserved:
                self._give(process)

    def _give(self, process: WorkerProcess) -> None:
        """The next shard that is one for it, if any."""
        task = self._queue.take(
            process.number, self._processes.keys(), self._capacity, beside=process.tasks.keys()
        )
        if task is not None:
            process.assign(task)

    def _wanted(self) -> int:
        busy = sum(bool(process.tasks) for process in self._processes.values())
        wanted = busy + self._queue.num_waiting
        if self._queue.needs_another(self._processes.keys()):
            wanted = max(wanted, len(self._processes) + 1)
        return min(self._capacity, wanted)

    def _receive(self, process: WorkerProcess) -> None:
        try:
            message: Message = process.connection.recv()
        except (EOFError, OSError):  # also a message cut short by its sender's death
            self._lost(process)
            return
        match message:
            case Ready():
                process.ready = True
                self._early_deaths = 0
            case NotReady(message=text):
                self._retire(process, f"a worker could not start: {text}")
            case ShardResult():
                self._ended(process, message)
            case _:
                process.note(message)
                self._on_event(message)

    def _ended(self, process: WorkerProcess, result: ShardResult) -> None:
        task = process.ended(result.shard_id)
        self._tell(task, self._queue.settle(task, result, process.number))
        process.faults = process.faults + 1 if result.environment else 0
        if process.faults == _MAX_FAULTS and not self._queue.finished:
            self._retire(process, f"{_MAX_FAULTS} shards in a row failed: {result.message}")

    def _lost(self, process: WorkerProcess) -> None:
        del self._processes[process.number]
        cause = process.reap()
        if process.ready:
            self._on_event(WorkerLost(tuple(process.tasks), cause))
        else:
            self._died_early(process, f"{cause} before it was ready")
        for task in process.tasks.values():
            self._tell(task, self._queue.lose(task, cause))

    def _died_early(self, process: WorkerProcess, cause: str) -> None:
        """One that a signal ended is replaced; one that gave up would give up again."""
        self._early_deaths += 1
        exit_code = process.handle.exitcode
        if exit_code is None or exit_code >= 0 or self._early_deaths >= self._options.max_losses:
            self._count_out(cause)
        else:
            self._on_event(WorkerLost((), cause))

    def _tell(self, task: ShardTask, result: ShardResult | None) -> None:
        if result is not None:
            outcome = ShardEnded(task.shard_id, result.outcome, task.num_items, result.message)
            self._on_event(outcome)

    def _retire(self, process: WorkerProcess, cause: str) -> None:
        del self._processes[process.number]
        process.stop()
        for task in reversed(process.tasks.values()):
            self._queue.put_back(task)
        self._count_out(cause)

    def _count_out(self, cause: str) -> None:
        """Go on with a worker fewer.

        Raises:
            EnvironmentFault: it was the last one.
        """
        self._retired += 1
        self._on_event(WorkerRetired(cause))
        if self._capacity < 1:
            raise EnvironmentFault(
                f"no healthy worker is left, of {self._options.workers}; the last one: "
                f"{cause.rstrip('.')}. What was committed stays. Mend the cause and run the same "
                "command again"
            )

    def _check_starts(self) -> None:
        limit = self._options.start_timeout_seconds
        late = [
            process
            for process in self._processes.values()
            if not process.ready and monotonic() - process.started > limit
        ]
        for process in late:
            self._retire(process, f"a worker was not ready after {limit:.0f} s")
