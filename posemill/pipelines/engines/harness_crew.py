"""Worker processes inside a process that a runner started, shared by all its threads.

The runner hands out shards; which worker does which, what is tried again and
who is retired is a `Crew`'s, as on one machine. What the workers tell goes by mail.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Lock, Thread
from threading import Event as Flag

from posemill.errors import EnvironmentFault, PosemillError
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.engines.crew import Crew
from posemill.pipelines.engines.gpus import GpuShares
from posemill.pipelines.engines.mail import Mailbox, Sender
from posemill.pipelines.engines.message_json import CrewFailed
from posemill.pipelines.engines.worker_process import ProcessHost
from posemill.pipelines.events import Event, ItemDone
from posemill.pipelines.tasks import ShardResult, ShardTask, WorkerSpec


@dataclass(frozen=True, slots=True)
class HarnessJob:
    """What every process of a run is told; cheap to pickle."""

    worker: WorkerSpec
    options: EngineOptions
    """Its workers are those of each process."""
    mailbox: Mailbox

    @property
    def depth(self) -> int:
        """Shards that a crew takes at once: enough that it never waits for the next one, and
        that a worker can be told to be broken while others are busy; no more, as a runner
        may give the rest to other machines."""
        return 2 * self.options.workers * self.options.overlap


@dataclass(frozen=True, slots=True)
class ShardEnd:
    """What became of a shard, and the items that were done for it, of all attempts."""

    result: ShardResult
    statuses: Mapping[str, int]
    num_frames: int


class HarnessCrew:
    """Does shards that any thread hands it."""

    def __init__(self, job: HarnessJob, sender: Sender) -> None:
        """Raises:
        InputError: this machine has not the GPUs that the workers need.
        """
        self._job, self._sender = job, sender
        gpus = GpuShares.of_machine(job.options.gpus_per_worker, job.options.workers)
        self._host = ProcessHost(job.worker, gpus)
        self._crew = Crew(self._host, job.options, self._hear)
        self._changed = Condition()
        self._handed = deque[ShardTask]()
        self._ends: dict[int, Future[ShardEnd]] = {}
        self._items: dict[int, list[ItemDone]] = {}
        self._failure: PosemillError | None = None
        self._ending = Flag()
        self._worker = Thread(target=self._work, name="posemill-crew", daemon=True)
        self._postman = Thread(target=self._deliver, name="posemill-mail", daemon=True)
        self._worker.start()
        self._postman.start()

    @property
    def failed(self) -> bool:
        return self._failure is not None

    @property
    def is_of_use(self) -> bool:
        return not (self.failed or self._ending.is_set())

    def submit(self, task: ShardTask) -> Future[ShardEnd]:
        """Have a shard done; waits while the crew has enough of them.

        One that it is at already, as a runner may hand it out twice, is not done twice.

        Raises:
            EnvironmentFault: no healthy worker is left, or the run is over.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.failed or len(self._ends) < self._job.depth)
            if self._failure is not None:
                raise self._failure
            if task.shard_id not in self._ends:
                self._ends[task.shard_id] = Future()
                self._handed.append(task)
                self._host.wake()
            return self._ends[task.shard_id]

    def flush(self) -> None:
        """Send what the workers told.

        Raises:
            EnvironmentFault: the mailbox cannot be written.
        """
        self._sender.flush()

    def close(self) -> None:
        """End the workers, whatever they are at; returns when they are gone."""
        self.begin_to_end()
        self._worker.join()
        self._postman.join()
        self._sender.flush_if_possible()

    def begin_to_end(self) -> None:
        """It is of no use from now on."""
        self._ending.set()
        with self._changed:
            if not self.failed:  # else its host is closed
                self._host.wake()

    def _work(self) -> None:
        """The body of the thread that has the crew to itself."""
        cause: BaseException = EnvironmentFault("the run is over")
        try:
            while not self._ending.is_set():
                self._crew.add(self._take_handed())
                for result in self._crew.step():
                    self._settle(result)
        except BaseException as error:  # noqa: BLE001 - whoever waits for a shard must hear of it
            cause = error
            self._sender.post(CrewFailed(str(error)))
            self._sender.flush_if_possible()
        finally:
            self._fail(cause)
            self._crew.close()

    def _take_handed(self) -> Sequence[ShardTask]:
        with self._changed:
            handed = list(self._handed)
            self._handed.clear()
            return handed

    def _hear(self, event: Event) -> None:
        if isinstance(event, ItemDone):
            self._items.setdefault(event.shard_id, []).append(event)
        self._sender.post(event)

    def _settle(self, result: ShardResult) -> None:
        self._sender.post(result)
        items = self._items.pop(result.shard_id, [])
        statuses = Counter(item.status for item in items)
        end = ShardEnd(result, statuses, sum(item.num_frames for item in items))
        with self._changed:
            self._ends.pop(result.shard_id).set_result(end)
            self._changed.notify_all()

    def _fail(self, cause: BaseException) -> None:
        failure: PosemillError = EnvironmentFault(f"{type(cause).__name__}: {cause}")
        if isinstance(cause, PosemillError):
            failure = cause
        with self._changed:
            self._failure = failure
            ends, self._ends = self._ends, {}
            self._changed.notify_all()
        for end in ends.values():
            end.set_exception(failure)

    def _deliver(self) -> None:
        """The body of the thread that sends mail, and hears when the run is over."""
        while not self._ending.wait(self._job.mailbox.seconds):
            self._sender.flush_if_possible()
            if not self._job.mailbox.is_open:
                self.begin_to_end()


_CREWS: dict[str, HarnessCrew] = {}
"""Of the runs that this process is at work for."""
_USERS: Counter[HarnessCrew] = Counter()
_LOCK = Lock()


def acquire(job: HarnessJob) -> HarnessCrew:
    """The crew of a run in this process, to be given back with `release`.

    One that failed is not given out again: what made it fail may have passed.

    Raises:
        InputError: this machine has not the GPUs that the workers need.
        EnvironmentFault: the run is over, or its mailbox cannot be written from here.
    """
    with _LOCK:
        crew = _CREWS.get(job.mailbox.name)
        if crew is None or not crew.is_of_use:
            crew = _CREWS[job.mailbox.name] = _new_crew(job)
        _USERS[crew] += 1
        return crew


def release(crew: HarnessCrew) -> None:
    """End a crew that nobody else uses."""
    with _LOCK:
        _USERS[crew] -= 1
        if _USERS[crew] > 0:
            return
        del _USERS[crew]
        crew.begin_to_end()  # who comes from now on gets another one
    crew.close()
    with _LOCK:
        for name in [name for name, known in _CREWS.items() if known is crew]:
            del _CREWS[name]


def end_run(name: str) -> None:
    """End the crew of a run, whoever uses it; nothing where this process has none."""
    with _LOCK:
        crew = _CREWS.get(name)
    if crew is not None:
        crew.close()


def _new_crew(job: HarnessJob) -> HarnessCrew:
    if not job.mailbox.is_open:
        raise EnvironmentFault("the run is over")
    sender = Sender(job.mailbox)
    sender.flush()
    try:
        return HarnessCrew(job, sender)
    except PosemillError as error:
        sender.post(CrewFailed(str(error)))
        sender.flush_if_possible()
        raise
