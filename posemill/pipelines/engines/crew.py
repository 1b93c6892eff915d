"""The workers of one run: who does which shard, who is replaced, who is retired.

It knows nothing of what a worker runs on; that is a `WorkerHost`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Generic

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines.base import EngineOptions, OnEvent, RunReport
from posemill.pipelines.engines.shard_queue import ShardQueue
from posemill.pipelines.engines.worker_link import (
    Link,
    LinkLost,
    Message,
    NotReady,
    Ready,
    WorkerHost,
)
from posemill.pipelines.events import (
    Event,
    ItemDone,
    ItemStarted,
    ShardDraining,
    ShardEnded,
    WorkerLost,
    WorkerRetired,
)
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask

POLL_SECONDS = 0.5
_MAX_FAULTS = 3
"""Shards in a row that may fail for a worker's environment until it is retired."""


@dataclass(slots=True)
class _Worker(Generic[Link]):
    """What the driver knows of one worker."""

    number: int
    slot: int
    link: Link
    started: float
    ready: bool = False
    tasks: dict[int, ShardTask] = field(default_factory=dict)
    """Those that it is at, by their shards, oldest first."""
    since: dict[int, float] = field(default_factory=dict)
    """When it got each."""
    draining: set[int] = field(default_factory=set)
    """Shards of which it has begun all that there is."""
    items: dict[str, int] = field(default_factory=dict)
    """Items that it has begun and not done, in that order, and the shard of each."""
    faults: int = 0
    """Shards in a row that failed for its environment."""

    def takes_another(self, overlap: int) -> bool:
        """Whether it can begin a shard, while it is at fewer than `overlap`."""
        return self.ready and len(self.tasks) < overlap and self.draining >= self.tasks.keys()

    def assign(self, task: ShardTask) -> None:
        self.tasks[task.shard_id], self.since[task.shard_id] = task, monotonic()
        self.link.assign(task)

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
        del self.since[shard_id]
        return self.tasks.pop(shard_id)

    def overdue(self, seconds: float) -> ShardTask | None:
        """A shard that it has been at for longer."""
        began = monotonic() - seconds
        return next((self.tasks[each] for each, at in self.since.items() if at < began), None)

    def stop(self) -> None:
        self.link.stop(idle=self.ready and not self.tasks)


class Crew(Generic[Link]):
    """Starts workers as they are wanted and gives them the shards that were added."""

    def __init__(self, host: WorkerHost[Link], options: EngineOptions, on_event: OnEvent) -> None:
        self._host, self._options, self._on_event = host, options, on_event
        self._queue = ShardQueue(options)
        self._workers: dict[int, _Worker[Link]] = {}
        self._numbers = count()
        self._retired = 0
        self._early_deaths = 0
        self._settled: list[ShardResult] = []

    @property
    def _capacity(self) -> int:
        return self._options.workers - self._retired

    @property
    def finished(self) -> bool:
        """Every shard that was added has its last result."""
        return self._queue.finished

    def run(self, tasks: Sequence[ShardTask]) -> RunReport:
        """Do the tasks, and then end the workers.

        Raises:
            EnvironmentFault: no healthy worker is left.
        """
        results: dict[int, ShardResult] = {}
        try:
            self.add(tasks)
            while not self.finished:
                results.update((result.shard_id, result) for result in self.step())
        finally:
            self.close()
        return RunReport(tuple(results[task.shard_id] for task in tasks))

    def add(self, tasks: Sequence[ShardTask]) -> None:
        self._queue.add(tasks)

    def step(self) -> Sequence[ShardResult]:
        """Start workers that are missing, give idle ones work, then take what they say.

        Returns the last results of shards, as far as they came meanwhile.

        Raises:
            EnvironmentFault: no healthy worker is left.
        """
        while len(self._workers) < self._wanted():
            self._start()
        self._assign()
        by_link = {id(worker.link): worker for worker in self._workers.values()}
        links = [worker.link for worker in self._workers.values()]
        for link in self._host.wait(links, POLL_SECONDS):
            self._receive(by_link[id(link)])
        self._check_starts()
        self._check_shards()
        settled, self._settled = self._settled, []
        return settled

    def close(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()
        self._host.close()

    def _start(self) -> None:
        taken = {worker.slot for worker in self._workers.values()}
        slot = next(slot for slot in count() if slot not in taken)
        number = next(self._numbers)
        self._workers[number] = _Worker(number, slot, self._host.start(slot), monotonic())

    def _assign(self) -> None:
        """A shard for each that has none; others beside the last of a shard if there are more."""
        without = [worker for worker in self._workers.values() if not worker.tasks]
        for worker in without:
            if worker.ready:
                self._give(worker)
        reserved = sum(not worker.tasks for worker in without)
        for worker in self._workers.values():
            can_begin = worker.tasks and worker.takes_another(self._options.overlap)
            if can_begin and self._queue.num_waiting > reserved:
                self._give(worker)

    def _give(self, worker: _Worker[Link]) -> None:
        """The next shard that is one for it, if any."""
        task = self._queue.take(
            worker.number, self._workers.keys(), self._capacity, beside=worker.tasks.keys()
        )
        if task is not None:
            worker.assign(task)

    def _wanted(self) -> int:
        busy = sum(bool(worker.tasks) for worker in self._workers.values())
        wanted = busy + self._queue.num_waiting
        if self._queue.needs_another(self._workers.keys()):
            wanted = max(wanted, len(self._workers) + 1)
        return min(self._capacity, wanted)

    def _receive(self, worker: _Worker[Link]) -> None:
        try:
            messages = worker.link.receive()
        except LinkLost as loss:
            self._lost(worker, loss)
            return
        for message in messages:
            if worker.number in self._workers:  # it may have been retired for an earlier one
                self._hear(worker, message)

    def _hear(self, worker: _Worker[Link], message: Message) -> None:
        match message:
            case Ready():
                worker.ready = True
                self._early_deaths = 0
            case NotReady(message=text):
                self._retire(worker, f"a worker could not start: {text}")
            case ShardResult():
                self._ended(worker, message)
            case _:
                worker.note(message)
                self._on_event(message)

    def _ended(self, worker: _Worker[Link], result: ShardResult) -> None:
        task = worker.ended(result.shard_id)
        self._tell(task, self._queue.settle(task, result, worker.number))
        worker.faults = worker.faults + 1 if result.environment else 0
        if worker.faults == _MAX_FAULTS and not self._queue.finished:
            self._retire(worker, f"{_MAX_FAULTS} shards in a row failed: {result.message}")

    def _lost(self, worker: _Worker[Link], loss: LinkLost) -> None:
        del self._workers[worker.number]
        at = f" while it worked on {', '.join(worker.items)}" if worker.items else ""
        if worker.ready:
            self._on_event(WorkerLost(tuple(worker.tasks), loss.cause + at))
        else:
            self._died_early(f"{loss.cause} before it was ready", gave_up=loss.gave_up)
        for task in worker.tasks.values():
            self._tell(task, self._queue.lose(task, loss.cause + at))

    def _died_early(self, cause: str, *, gave_up: bool) -> None:
        """One that a signal ended is replaced; one that gave up would give up again."""
        self._early_deaths += 1
        if gave_up or self._early_deaths >= self._options.max_losses:
            self._count_out(cause)
        else:
            self._on_event(WorkerLost((), cause))

    def _tell(self, task: ShardTask, result: ShardResult | None) -> None:
        if result is not None:
            self._settled.append(result)
            outcome = ShardEnded(task.shard_id, result.outcome, task.num_items, result.message)
            self._on_event(outcome)

    def _dismiss(self, worker: _Worker[Link]) -> None:
        """End a worker; what it was at comes next."""
        del self._workers[worker.number]
        worker.stop()
        for task in reversed(worker.tasks.values()):
            self._queue.put_back(task)

    def _retire(self, worker: _Worker[Link], cause: str) -> None:
        self._dismiss(worker)
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
        """Retire the workers that are not ready in time."""
        limit = self._options.start_timeout_seconds
        for worker in list(self._workers.values()):
            if not worker.ready and monotonic() - worker.started > limit:
                cause = f"a worker was not ready after {limit:g} s, see --start-timeout"
                self._retire(worker, cause + self._host.explain())

    def _check_shards(self) -> None:
        """Dismiss the workers that are at a shard for too long."""
        limit = self._options.shard_timeout_seconds
        if limit is None:
            return
        for worker in list(self._workers.values()):
            task = worker.overdue(limit)
            if task is not None:
                self._end_overdue(worker, task)

    def _end_overdue(self, worker: _Worker[Link], task: ShardTask) -> None:
        cause = (
            f"shard {task.shard_id} was not done after {self._options.shard_timeout_seconds:g} s, "
            "see --shard-timeout, and its worker was dismissed"
        )
        shard_ids = tuple(worker.tasks)
        worker.ended(task.shard_id)
        self._dismiss(worker)
        self._on_event(WorkerLost(shard_ids, cause))
        result = ShardResult(task.shard_id, ShardOutcome.FAILED, message=cause)
        self._tell(task, self._queue.settle(task, result, worker.number))
