"""Which shard is tried next, by whom, and when its result counts. Pure: no processes, no clocks."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask


class ShardQueue:
    """The shards of one run, in the order given; one to be tried again comes last.

    Workers are known by numbers that are never used again.
    """

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._waiting = deque[ShardTask]()
        self._unsettled = 0
        self._attempts: dict[int, int] = {}
        self._losses: dict[int, int] = {}
        self._shunned_by: dict[int, set[int]] = {}

    @property
    def finished(self) -> bool:
        """Every shard that was added has its result."""
        return not self._unsettled

    @property
    def num_waiting(self) -> int:
        return len(self._waiting)

    def add(self, tasks: Sequence[ShardTask]) -> None:
        """Shards to be done; one that has its result may come again, as if new."""
        self._waiting.extend(tasks)
        self._unsettled += len(tasks)

    def take(
        self,
        worker: int,
        workers: Collection[int],
        capacity: int,
        beside: Collection[int] = (),
    ) -> ShardTask | None:
        """The next shard for `worker`, one of the `workers` there are of `capacity` there may be.

        A shard for which a worker's environment failed goes to another worker,
        unless it failed for as many as there may be. One that failed or lost its
        worker is not done `beside` others, which it may take along again, nor are
        others beside it.
        """
        for task in self._waiting:
            if beside and any(map(self._was_tried, (task.shard_id, *beside))):
                continue
            failed_for = self._shunned_by.get(task.shard_id, set()) & set(workers)
            if worker not in failed_for or len(failed_for) >= capacity:
                self._waiting.remove(task)
                return task
        return None

    def needs_another(self, workers: Collection[int]) -> bool:
        """Whether a shard waits that each of these workers' environments failed for."""
        return any(
            self._shunned_by.get(task.shard_id, set()) >= set(workers) for task in self._waiting
        )

    def settle(self, task: ShardTask, result: ShardResult, worker: int) -> ShardResult | None:
        """An attempt ended: the shard's result, or None where it is tried again."""
        attempts = self._attempts[task.shard_id] = self._attempts.get(task.shard_id, 0) + 1
        if result.environment:
            self._shunned_by.setdefault(task.shard_id, set()).add(worker)
        failed = result.outcome is ShardOutcome.FAILED
        return self._keep(task, result, again=failed and attempts < self._options.max_attempts)

    def put_back(self, task: ShardTask) -> None:
        """It was given up for no reason of its own; it comes next."""
        self._waiting.appendleft(task)

    def lose(self, task: ShardTask, cause: str) -> ShardResult | None:
        """The worker of a shard is no more, which is no attempt; results as of `settle`."""
        losses = self._losses[task.shard_id] = self._losses.get(task.shard_id, 0) + 1
        result = ShardResult(task.shard_id, ShardOutcome.FAILED, message=cause)
        return self._keep(task, result, again=losses < self._options.max_losses)

    def _was_tried(self, shard_id: int) -> bool:
        return shard_id in self._attempts or shard_id in self._losses

    def _keep(self, task: ShardTask, result: ShardResult, *, again: bool) -> ShardResult | None:
        if again:
            self._waiting.append(task)
            return None
        self._unsettled -= 1
        for known in (self._attempts, self._losses, self._shunned_by):
            known.pop(task.shard_id, None)
        return result
