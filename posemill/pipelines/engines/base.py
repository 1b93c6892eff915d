"""The interface of an engine: it places shard tasks on workers, and no more.

Reading the plan, committing, quarantine and resume all live below the engine,
in the worker and the store; results therefore do not depend on the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.events import Event
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask, WorkerSpec


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How much of the machine an engine may use.

    Raises:
        InputError: fewer than one worker, shard of a worker, attempt or loss.
    """

    workers: int = 1
    overlap: int = 2
    """Shards that a worker may be at: one that is begun, and others that are brought to an end."""
    max_attempts: int = 3
    """How often a shard is tried before it counts as failed."""
    max_losses: int = 10
    """How many workers a shard may lose to whatever kills them; such a loss is no attempt."""
    start_timeout_seconds: float = 300.0
    """How long a worker may take from its start until it is ready."""

    def __post_init__(self) -> None:
        for name in ("workers", "overlap", "max_attempts", "max_losses"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class RunReport:
    """The last result of every shard that an engine was given."""

    results: tuple[ShardResult, ...]

    @property
    def failed(self) -> tuple[ShardResult, ...]:
        return tuple(r for r in self.results if r.outcome is ShardOutcome.FAILED)

    def num_items(self, outcome: ShardOutcome) -> int:
        """Of all shards that ended so."""
        return sum(result.num_items for result in self.results if result.outcome is outcome)

    def require_success(self, stage: str) -> None:
        """Raises:
        EnvironmentFault: a shard failed; names the first one's cause and what to do.
        """
        if self.failed:
            raise EnvironmentFault(
                f"{stage}: {len(self.failed)} of {len(self.results)} shards failed and are not "
                f"committed, the others are; the first: {self.failed[0].message}. "
                "Mend the cause and run the same command again: it does only what is missing"
            )


class Engine(Protocol):
    """Runs shard tasks somewhere."""

    def run(
        self,
        tasks: Sequence[ShardTask],
        worker: WorkerSpec,
        options: EngineOptions,
        on_event: Callable[[Event], None],
    ) -> RunReport:
        """Do every task, begun in the given order, and report each shard's last result.

        A worker that cannot start, or whose environment fails for three shards
        in a row, is retired; what it failed for is done by another one.

        Raises:
            EnvironmentFault: no healthy worker is left.
        """
