"""The interface of an engine: it places shard tasks on workers, and no more.

Reading the plan, committing, quarantine and resume all live below the engine,
in the worker and the store; results therefore do not depend on the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Protocol

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.events import Event
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask, WorkerSpec

if TYPE_CHECKING:  # it brings zarr along, which what only passes messages on does without
    from posemill.storage.objects import Place

OnEvent = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How much of the machines an engine may use, and what is its own.

    Raises:
        InputError: fewer than one worker, shard of a worker, attempt or loss; a
            negative part of a machine; a time limit that is none.
    """

    workers: int = 1
    gpus_per_worker: float = 0.0
    """Whole ones, or a fraction of one that several workers share; 0 assigns none."""
    overlap: int = 2
    """Shards that a worker may be at: one that is begun, and others that are brought to an end."""
    max_attempts: int = 3
    """How often a shard is tried before it counts as failed."""
    max_losses: int = 10
    """How many workers a shard may lose to whatever kills them; such a loss is no attempt."""
    start_timeout_seconds: float = 300.0
    """How long a worker may take from its start until it is ready."""
    shard_timeout_seconds: float | None = None
    """How long a worker may be at a shard until it is ended, which is an attempt; None: any time.
    The limits of a video are others, and nearer."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of one engine only, by names that it knows."""

    def __post_init__(self) -> None:
        for name in ("workers", "overlap", "max_attempts", "max_losses"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")
        gpus = self.gpus_per_worker
        if not 0 <= gpus < inf or (gpus > 1 and gpus != int(gpus)):
            raise InputError(
                f"gpus_per_worker is a whole number, or a fraction between 0 and 1, got {gpus}"
            )
        for name in ("start_timeout_seconds", "shard_timeout_seconds"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise InputError(f"{name} must be more than 0, got {limit}")


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
    """Runs shard tasks somewhere; made by `create_engine` from `EngineOptions`."""

    def run(
        self, tasks: Sequence[ShardTask], worker: WorkerSpec, on_event: OnEvent, mailbox: Place
    ) -> RunReport:
        """Do every task, begun in the given order, and report each shard's last result.

        A worker that cannot start, or whose environment fails for three shards
        in a row, is retired; what it failed for is done by another one.

        `mailbox` is a place that driver and workers share; an engine without a channel of
        its own leaves messages there, and removes them in the end.

        Raises:
            EnvironmentFault: no healthy worker is left.
        """


def refuse_parameters(engine: str, parameters: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Raises:
    InputError: a parameter that the engine does not know; `known` maps names to what they are.
    """
    if unknown := sorted(set(parameters) - set(known)):
        there = "; ".join(f"{name}: {meaning}" for name, meaning in known.items())
        raise InputError(
            f"--engine {engine} has no option {', '.join(unknown)}"
            + (f"; it has {there}" if known else "; it has none of its own")
        )
