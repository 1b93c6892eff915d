"""A worker process of the local engine: its body, and the driver's hold on it.

Workers are spawned, never forked: torch and OpenCV hold threads that a fork
would lose. A worker watches its parent and ends with it, whatever the signal,
so a killed driver leaves no orphans.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from time import monotonic

from posemill.errors import EnvironmentFault, PosemillError
from posemill.pipelines.events import Event, ItemDone, ItemStarted, ShardDraining
from posemill.pipelines.tasks import (
    ShardOutcome,
    ShardResult,
    ShardTask,
    ShardWorker,
    WorkerSpec,
)
from posemill.pipelines.watchdog import end_with_parent

_END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: it takes work."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """From a worker, its last words."""

    message: str


Message = Event | ShardResult | Ready | NotReady


@dataclass(slots=True)
class WorkerProcess:
    """A worker process, seen from the driver."""

    number: int
    handle: BaseProcess
    connection: Connection
    started: float
    ready: bool = False
    tasks: dict[int, ShardTask] = field(default_factory=dict)
    """Those that it is at, by their shards, oldest first."""
    draining: set[int] = field(default_factory=set)
    """Shards of which it has begun all that there is."""
    items: dict[str, int] = field(default_factory=dict)
    """Items that it has begun and not done, in that order, and the shard of each."""
    faults: int = 0
    """Shards in a row that failed for its environment."""

    @classmethod
    def start(cls, number: int, worker: WorkerSpec) -> WorkerProcess:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        handle = context.Process(target=_work, args=(theirs, worker), daemon=True)
        with _interrupts_held():
            handle.start()
        theirs.close()  # else the worker's death would never close the pipe
        return cls(number, handle, ours, monotonic())

    def takes_another(self, overlap: int) -> bool:
        """Whether it can begin a shard, while it is at fewer than `overlap`."""
        return self.ready and len(self.tasks) < overlap and self.draining >= self.tasks.keys()

    def note(self, event: Event) -> None:
        """Of its own work."""
        match event:
            case ItemStarted(shard_id=shard_id, item_id=item_id):
                self.items[item_id] = shard_id
            case ItemDone(item_id=item_id):
                self.items.pop(item_id, None)
            case ShardDraining(shard_id=shard_id):
                self.draining.add(shard_id)

    def ended(self, shard_id: int) -> ShardTask:
        """The task of a shard that it is not at any more."""
        self.draining.discard(shard_id)
        self.items = {item: shard for item, shard in self.items.items() if shard != shard_id}
        return self.tasks.pop(shard_id)

    def assign(self, task: ShardTask) -> None:
        self.tasks[task.shard_id] = task
        with contextlib.suppress(OSError):  # it died: the next receive sees that
            self.connection.send(task)

    def reap(self) -> str:
        """How it died; waits for that."""
        self.handle.join()
        self.connection.close()
        at = f" while it worked on {', '.join(self.items)}" if self.items else ""
        return f"a worker process died (exit code {self.handle.exitcode}){at}"

    def stop(self) -> None:
        """End it: by closing its pipe when it is idle, by a signal when it is not."""
        self.connection.close()
        if self.tasks or not self.ready:
            self.handle.terminate()
        self.handle.join(_END_SECONDS)
        if self.handle.is_alive():
            self.handle.kill()
            self.handle.join()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process started here never hears of Ctrl-C, which a terminal sends to all.

    The driver does, and ends the others; by themselves they would each print
    where they happened to be.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection, spec: WorkerSpec) -> None:
    """The body of a worker process."""
    end_with_parent()
    with contextlib.suppress(BrokenPipeError, EOFError):
        try:
            worker = spec.build()
        except (PosemillError, OSError, ImportError) as error:
            connection.send(NotReady(_describe(error)))
            return
        with contextlib.closing(worker):
            _serve(worker, connection)


def _serve(worker: ShardWorker, connection: Connection) -> None:
    try:
        worker.ready()
    except (PosemillError, OSError, ImportError) as error:
        connection.send(NotReady(_describe(error)))
        return
    connection.send(Ready())
    outbox = _Outbox(connection)
    while True:
        task: ShardTask = connection.recv()
        Thread(target=_attempt, args=(worker, task, outbox), daemon=True).start()


class _Outbox:
    """For several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, Lock()

    def send(self, message: Message) -> None:
        with self._lock:
            self._connection.send(message)


def _attempt(worker: ShardWorker, task: ShardTask, outbox: _Outbox) -> None:
    try:
        result = worker.run(task, outbox.send)
    except Exception as error:  # noqa: BLE001 - any failure ends the attempt, uncommitted
        if not isinstance(error, PosemillError):
            traceback.print_exc()
        result = ShardResult(
            task.shard_id,
            ShardOutcome.FAILED,
            message=_describe(error),
            environment=isinstance(error, (EnvironmentFault, OSError)),
        )
    with contextlib.suppress(BrokenPipeError):
        outbox.send(result)


def _describe(error: Exception) -> str:
    return str(error) if isinstance(error, PosemillError) else f"{type(error).__name__}: {error}"
