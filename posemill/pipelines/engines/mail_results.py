"""What a driver learns of a run from letters: events, results, and that nobody writes any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines.base import OnEvent, RunReport
from posemill.pipelines.engines.message_json import CrewFailed, Told
from posemill.pipelines.events import ShardEnded
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask

_RANKS = {ShardOutcome.LOST_RACE: 1, ShardOutcome.SKIPPED: 2, ShardOutcome.FAILED: 3}
"""Of several results of one shard in one run the one of the lowest rank counts, 0 at best."""


class MailResults:
    """The results of a run's shards, as they come."""

    def __init__(
        self, tasks: Sequence[ShardTask], on_event: OnEvent, silence_seconds: float
    ) -> None:
        """Nobody may write for `silence_seconds` while a shard has no result yet."""
        self._tasks, self._on_event = tasks, on_event
        self._silence_seconds, self._last_heard = silence_seconds, monotonic()
        self._results: dict[int, ShardResult] = {}
        self._ended: set[int] = set()
        self.crew_failure: str | None = None
        """The last words of a crew, if one gave up."""

    def take_all(self, letters: Iterable[Sequence[Told]]) -> None:
        for letter in letters:
            self.take(letter)

    def take(self, letter: Sequence[Told]) -> None:
        """Pass events on. A runner may have a shard done twice, whose good end is told once."""
        self._last_heard = monotonic()
        for message in letter:
            match message:
                case CrewFailed(message=text):
                    self.crew_failure = text
                case ShardResult():
                    self._note(message)
                case ShardEnded():
                    self._pass_end(message)
                case _:
                    self._on_event(message)

    def require_sign_of_life(self) -> None:
        """Raises:
        EnvironmentFault: nobody wrote for too long, and there are shards to do.
        """
        silence = monotonic() - self._last_heard
        num_missing = sum(task.shard_id not in self._results for task in self._tasks)
        if num_missing and silence > self._silence_seconds:
            raise EnvironmentFault(
                f"for {self._silence_seconds:g} s no process of the runner told anything, and "
                f"{num_missing} of {len(self._tasks)} shards are not done: none was started, none "
                "can write to the mailbox, or all were lost. What was committed stays. Look into "
                "the runner's own log, allow more time with --start-timeout if it starts machines, "
                "and run the same command again"
            )

    def report(self) -> RunReport:
        return RunReport(tuple(self._result(task) for task in self._tasks))

    def _result(self, task: ShardTask) -> ShardResult:
        lost = "no worker told what became of it, though the job is done"
        unheard = ShardResult(task.shard_id, ShardOutcome.FAILED, message=lost)
        return self._results.get(task.shard_id, unheard)

    def _note(self, result: ShardResult) -> None:
        known = self._results.get(result.shard_id, result)
        better = min(known, result, key=lambda each: _RANKS.get(each.outcome, 0))
        self._results[result.shard_id] = better

    def _pass_end(self, event: ShardEnded) -> None:
        if event.shard_id in self._ended:
            return
        if event.outcome != ShardOutcome.FAILED:
            self._ended.add(event.shard_id)
        self._on_event(event)
