"""The local engine: spawned worker processes on this machine.

Workers are spawned, never forked: torch and OpenCV hold threads that a fork
would lose. A worker watches its parent and ends with it, whatever the signal,
so a killed driver leaves no orphans.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from time import monotonic

from posemill.errors import EnvironmentFault, PosemillError
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.events import Event, ItemStarted, ShardEnded, WorkerLost
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask, WorkerSpec
from posemill.pipelines.watchdog import end_with_parent

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Ready:
    pass


@dataclass(frozen=True, slots=True)
class _NotReady:
    message: str


_Message = Event | ShardResult | _Ready | _NotReady


class LocalEngine:
    """Worker processes on this machine; satisfies `engines.base.Engine`."""

    def run(
        self,
        tasks: Sequence[ShardTask],
        worker: WorkerSpec,
        options: EngineOptions,
        on_event: Callable[[Event], None],
    ) -> RunReport:
        if not tasks:
            return RunReport(results=())
        run = _Run(worker, options, on_event, tasks)
        try:
            while not run.finished:
                run.step()
        finally:
            run.close()
        return RunReport(results=tuple(run.results[task.shard_id] for task in tasks))


@dataclass(slots=True)
class _Process:
    """A worker process, seen from the driver."""

    handle: multiprocessing.process.BaseProcess
    connection: Connection
    started: float
    ready: bool = False
    task: ShardTask | None = None
    item_id: str | None = None


@dataclass(slots=True)
class _Run:
    """The state of one call of `LocalEngine.run`."""

    worker: WorkerSpec
    options: EngineOptions
    on_event: Callable[[Event], None]
    tasks: Sequence[ShardTask]
    waiting: deque[ShardTask] = field(init=False)
    attempts: dict[int, int] = field(default_factory=dict)
    results: dict[int, ShardResult] = field(default_factory=dict)
    processes: list[_Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Longest first, so that no long shard is begun last and waited for alone.
        self.waiting = deque(sorted(self.tasks, key=lambda task: -task.cost))

    @property
    def finished(self) -> bool:
        return len(self.results) == len(self.tasks)

    def step(self) -> None:
        """Start workers that are missing, give idle ones work, then take what they say."""
        busy = sum(process.task is not None for process in self.processes)
        wanted = min(self.options.workers, busy + len(self.waiting))
        while len(self.processes) < wanted:
            self.processes.append(_start_process(self.worker))
        for process in self.processes:
            if process.ready and process.task is None and self.waiting:
                self._assign(process, self.waiting.popleft())
        by_connection = {process.connection: process for process in self.processes}
        for connection in wait(list(by_connection), timeout=_POLL_SECONDS):
            self._receive(by_connection[connection])  # type: ignore[index]
        self._check_starts()

    def close(self) -> None:
        for process in self.processes:
            _stop_process(process)
        self.processes.clear()

    def _receive(self, process: _Process) -> None:
        try:
            message: _Message = process.connection.recv()
        except (EOFError, OSError):  # also a message cut short by its sender's death
            self._lost(process)
            return
        match message:
            case _Ready():
                process.ready = True
            case _NotReady(message=text):
                raise EnvironmentFault(f"a worker could not start: {text}")
            case ShardResult():
                self._ended(process, message)
            case ItemStarted(item_id=item_id):
                process.item_id = item_id
                self.on_event(message)
            case _:
                self.on_event(message)

    def _assign(self, process: _Process, task: ShardTask) -> None:
        process.task, process.item_id = task, None
        with contextlib.suppress(OSError):  # it died: the next receive sees that
            process.connection.send(task)

    def _ended(self, process: _Process, result: ShardResult) -> None:
        task = process.task
        if task is None:
            raise AssertionError(f"a result came for no task: {result}")
        process.task = None
        self._settle(task, result)

    def _settle(self, task: ShardTask, result: ShardResult) -> None:
        """Keep the result of a shard, or put a failed one back for another attempt."""
        self.attempts[task.shard_id] = self.attempts.get(task.shard_id, 0) + 1
        failed = result.outcome is ShardOutcome.FAILED
        if failed and self.attempts[task.shard_id] < self.options.max_attempts:
            self.waiting.append(task)
            return
        self.results[task.shard_id] = result
        self.on_event(ShardEnded(task.shard_id, result.outcome, task.num_items, result.message))

    def _lost(self, process: _Process) -> None:
        process.handle.join()
        self.processes.remove(process)
        process.connection.close()
        cause = f"a worker process died (exit code {process.handle.exitcode})"
        if not process.ready:
            raise EnvironmentFault(
                f"{cause} before it was ready; run with --workers 1 and look at its output above"
            )
        if process.item_id is not None:
            cause += f" while it worked on {process.item_id}"
        task = process.task
        self.on_event(WorkerLost(None if task is None else task.shard_id, cause))
        if task is not None:
            self._settle(task, ShardResult(task.shard_id, ShardOutcome.FAILED, message=cause))

    def _check_starts(self) -> None:
        limit = self.options.start_timeout_seconds
        for process in self.processes:
            if not process.ready and monotonic() - process.started > limit:
                raise EnvironmentFault(f"a worker was not ready after {limit:.0f} s")


def _start_process(worker: WorkerSpec) -> _Process:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    handle = context.Process(target=_work, args=(theirs, worker), daemon=True)
    handle.start()
    theirs.close()  # else the worker's death would never close the pipe
    return _Process(handle=handle, connection=ours, started=monotonic())


def _stop_process(process: _Process) -> None:
    """End a worker: by closing its pipe when it is idle, by a signal when it is not."""
    process.connection.close()
    if process.task is not None or not process.ready:
        process.handle.terminate()
    process.handle.join(timeout=5)
    if process.handle.is_alive():
        process.handle.kill()
        process.handle.join()


def _work(connection: Connection, worker: WorkerSpec) -> None:
    """The body of a worker process."""
    end_with_parent()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError, EOFError):
        try:
            shard_worker = worker.build()
            shard_worker.ready()
        except (PosemillError, OSError, ImportError) as error:
            name = "" if isinstance(error, PosemillError) else f"{type(error).__name__}: "
            connection.send(_NotReady(f"{name}{error}"))
            return
        connection.send(_Ready())
        while True:
            task: ShardTask = connection.recv()
            try:
                result = shard_worker.run(task, connection.send)
            except Exception as error:  # noqa: BLE001 - any failure ends the attempt, uncommitted
                if not isinstance(error, PosemillError):
                    traceback.print_exc()
                message = f"{type(error).__name__}: {error}"
                result = ShardResult(task.shard_id, ShardOutcome.FAILED, message=message)
            connection.send(result)
