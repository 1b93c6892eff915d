from __future__ import annotations

import pytest

from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.engines.shard_queue import ShardQueue
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask

TASKS = [ShardTask("test", shard_id, num_items=1, cost=1.0) for shard_id in (5, 3, 9)]
DONE = {task.shard_id: ShardResult(task.shard_id, ShardOutcome.COMMITTED) for task in TASKS}


def failed(task: ShardTask, *, environment: bool) -> ShardResult:
    return ShardResult(task.shard_id, ShardOutcome.FAILED, environment=environment)


def filled(tasks: list[ShardTask], options: EngineOptions) -> ShardQueue:
    queue = ShardQueue(options)
    queue.add(tasks)
    return queue


@pytest.fixture
def queue() -> ShardQueue:
    return filled(TASKS, EngineOptions(max_attempts=2, max_losses=3))


def test_shards_are_taken_in_order_until_each_has_its_result(queue: ShardQueue) -> None:
    taken = [queue.take(0, {0}, 1) for _ in TASKS]
    assert taken == TASKS
    assert queue.take(0, {0}, 1) is None
    for task in reversed(TASKS):
        assert not queue.finished
        assert queue.settle(task, DONE[task.shard_id], 0) == DONE[task.shard_id]
    assert queue.finished


def test_a_failed_shard_comes_last_and_has_its_attempts(queue: ShardQueue) -> None:
    first = queue.take(0, {0}, 1)
    assert first is not None
    assert queue.settle(first, failed(first, environment=False), 0) is None
    assert [queue.take(0, {0}, 1) for _ in TASKS] == [*TASKS[1:], first]
    result = queue.settle(first, failed(first, environment=False), 0)
    assert result is not None
    assert result.outcome is ShardOutcome.FAILED


def test_lost_workers_are_no_attempts_but_not_without_end(queue: ShardQueue) -> None:
    first = TASKS[0]
    assert [queue.lose(first, "killed") for _ in range(2)] == [None, None]
    assert queue.settle(first, failed(first, environment=False), 0) is None
    result = queue.lose(first, "killed again")
    assert result is not None
    assert result.message == "killed again"


def test_what_failed_or_lost_its_worker_is_done_beside_no_other(queue: ShardQueue) -> None:
    first, second, third = TASKS
    assert queue.take(0, {0}, 1) == first
    assert queue.take(0, {0}, 1, beside=[first.shard_id]) == second
    queue.settle(first, failed(first, environment=False), 0)
    queue.lose(second, "killed")
    assert queue.take(1, {1}, 1) == third
    assert queue.take(1, {1}, 1, beside=[third.shard_id]) is None
    assert queue.take(1, {1}, 1) == first
    assert queue.take(1, {1}, 1, beside=[first.shard_id]) is None
    assert queue.take(1, {1}, 1) == second


def test_beside_what_failed_no_new_one_is_begun(queue: ShardQueue) -> None:
    first, second, third = TASKS
    assert queue.take(0, {0}, 1) == first
    queue.settle(first, failed(first, environment=False), 0)
    assert [queue.take(0, {0}, 1) for _ in (second, third)] == [second, third]
    assert queue.take(0, {0}, 1) == first
    queue.put_back(third)
    assert queue.take(0, {0}, 1, beside=[first.shard_id]) is None
    assert queue.take(0, {0}, 1, beside=[second.shard_id]) == third


def test_a_shard_that_comes_again_after_its_result_is_as_new() -> None:
    queue = filled(TASKS[:1], EngineOptions(max_attempts=2, max_losses=2))
    (task,) = TASKS[:1]
    for _ in range(2):
        assert queue.take(0, {0}, 1) == task
        assert queue.settle(task, failed(task, environment=True), 0) is None
        assert queue.take(1, {1}, 1) == task
        assert queue.lose(task, "killed") is None
        assert queue.take(2, {2}, 1) == task
        assert queue.settle(task, failed(task, environment=True), 2) is not None
        assert queue.finished
        queue.add([task])


def test_what_is_put_back_comes_next_and_was_not_tried(queue: ShardQueue) -> None:
    first, second, _ = TASKS
    assert queue.take(0, {0}, 1) == first
    queue.put_back(first)
    assert queue.take(1, {1}, 1) == first
    queue.put_back(first)
    assert queue.take(1, {1}, 1, beside=[second.shard_id]) == first


def test_a_shard_is_kept_from_the_worker_whose_environment_failed_for_it() -> None:
    queue = filled(TASKS[:1], EngineOptions(max_attempts=9))
    task = queue.take(0, {0, 1}, 2)
    assert task is not None
    queue.settle(task, failed(task, environment=True), 0)
    assert queue.needs_another({0})
    assert not queue.needs_another({0, 1})
    assert queue.take(0, {0}, capacity=2) is None  # there may be another one
    assert queue.take(0, {0, 1}, capacity=2) is None
    assert queue.take(1, {0, 1}, capacity=2) == task
    queue.settle(task, failed(task, environment=True), 1)
    assert queue.take(0, {0, 1}, capacity=2) == task  # it failed for both: any may try again
    queue.settle(task, failed(task, environment=True), 0)
    assert queue.take(0, {0}, capacity=1) == task  # there can be no other
