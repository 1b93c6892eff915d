"""What a driver makes of letters, which may tell of a shard more than once."""

from __future__ import annotations

from itertools import permutations

import pytest

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines.mail_results import MailResults
from posemill.pipelines.events import Event, ItemStarted, ShardEnded
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask

TASKS = [ShardTask("test", shard_id, num_items=2, cost=1.0) for shard_id in range(2)]
BEST_FIRST = [
    ShardOutcome.COMMITTED,
    ShardOutcome.LOST_RACE,
    ShardOutcome.SKIPPED,
    ShardOutcome.FAILED,
]


def results(events: list[Event], silence_seconds: float = 60) -> MailResults:
    return MailResults(TASKS, events.append, silence_seconds)


@pytest.mark.parametrize("order", list(permutations(BEST_FIRST, 2)))
def test_the_best_result_of_a_shard_counts(order: tuple[ShardOutcome, ...]) -> None:
    found = results([])
    for outcome in order:
        found.take([ShardResult(0, outcome)])
    assert found.report().results[0].outcome is min(order, key=BEST_FIRST.index)


def test_a_shard_of_which_no_letter_tells_failed() -> None:
    found = results([])
    found.take([ShardResult(1, ShardOutcome.COMMITTED)])
    (failed,) = found.report().failed
    assert failed.shard_id == 0
    assert "no worker told what became of it" in failed.message


def test_the_end_of_a_shard_is_told_once() -> None:
    events: list[Event] = []
    found = results(events)
    failed, done, again = (
        ShardEnded(0, outcome, 2)
        for outcome in (ShardOutcome.FAILED, ShardOutcome.COMMITTED, ShardOutcome.SKIPPED)
    )
    found.take_all([[ItemStarted(0, "a"), failed], [done], [again, ShardEnded(1, "failed", 2)]])
    assert events == [ItemStarted(0, "a"), failed, done, ShardEnded(1, "failed", 2)]


def test_silence_ends_a_run_with_shards_to_do() -> None:
    found = results([], silence_seconds=0)
    found.take([ShardResult(0, ShardOutcome.COMMITTED)])
    with pytest.raises(EnvironmentFault, match=r"1 of 2 shards are not done.*--start-timeout"):
        found.require_sign_of_life()
    found.take([ShardResult(1, ShardOutcome.FAILED)])
    found.require_sign_of_life()


def test_silence_is_counted_from_the_last_letter() -> None:
    found = results([], silence_seconds=60)
    found._last_heard -= 61
    found.take([])
    found.require_sign_of_life()
