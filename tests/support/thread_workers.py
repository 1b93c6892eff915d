"""Shard workers for threads of the driver's process, where what they hold can be looked at."""

from __future__ import annotations

from threading import Barrier, Event, Lock

from posemill.errors import EnvironmentFault
from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask


class Book:
    """What the workers of one run did; they find it by its name."""

    def __init__(self, fault: str = "", parties: int = 0) -> None:
        self.fault = fault
        self.meeting = Barrier(parties) if parties else None
        """Where so many shards wait until all of them are begun."""
        self.lock = Lock()
        self.workers: list[BookedWorker] = []
        self.attempts: list[tuple[int, int]] = []
        """The worker and the shard of each, in order."""
        self.closed: list[int] = []
        self.released = Event()
        """Lets those go on that hang."""
        self.ended = Event()
        """Whoever hung is closed."""


BOOKS: dict[str, Book] = {}


class BookedWorker:
    """Satisfies `tasks.ShardWorker`; `fault` of its book says what goes wrong."""

    def __init__(self, book: str) -> None:
        self.book = BOOKS[book]
        if self.book.fault == "cannot_be_built":
            raise RuntimeError("no such thing")
        with self.book.lock:
            self.number = len(self.book.workers)
            self.book.workers.append(self)
        self.hung = False

    def ready(self) -> None:
        if self.book.fault == "not_ready":
            raise EnvironmentFault("the disk is gone")
        if self.book.fault == "never_ready":
            self._hang()

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        with self.book.lock:
            earlier = sum(shard == task.shard_id for _, shard in self.book.attempts)
            self.book.attempts.append((self.number, task.shard_id))
        emit(ItemStarted(task.shard_id, f"item-{task.shard_id}"))
        if self.book.meeting is not None:
            self.book.meeting.wait(60)
        self._befall(task.shard_id, earlier)
        emit(ItemDone(task.shard_id, f"item-{task.shard_id}", "ok", 3))
        return ShardResult(task.shard_id, ShardOutcome.VERIFIED, 1, findings={"by": self.number})

    def close(self) -> None:
        with self.book.lock:
            self.book.closed.append(self.number)
        if self.hung:
            self.book.ended.set()

    def _befall(self, shard_id: int, earlier: int) -> None:
        match self.book.fault:
            case "raises" if shard_id == 1:
                raise RuntimeError("out of luck")
            case "raises_once" if (shard_id, earlier) == (1, 0):
                raise RuntimeError("out of luck")
            case "first_is_broken" if self.number == 0:
                raise EnvironmentFault("the disk is gone")
            case "hangs_once" if (shard_id, earlier) == (1, 0):
                self._hang()

    def _hang(self) -> None:
        self.hung = True
        assert self.book.released.wait(60)
