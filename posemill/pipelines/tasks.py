"""What travels between a driver and its workers: tasks, worker names, results.

All of it is small and JSON-like. A task names a shard; the worker reads the
shard's items from the plan in the store, so that a task's size does not grow
with the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol, cast

from posemill.pipelines.events import Event

Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard of one stage: the unit of work, of commit and of retry."""

    stage: str
    shard_id: int
    num_items: int
    cost: float
    """Expected work, in any unit that grows with time."""
    generation: int = 0
    """Which one of the shard is to be committed."""
    items: tuple[str, ...] | None = None
    """Ids of the items to make again, in plan order; None makes all of the shard's."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """How to build a worker in another process: a name, never a closure."""

    target: str
    """`package.module:factory`; `factory(**kwargs)` returns a `ShardWorker`."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    in_threads: bool = False
    """Its work is waiting, and nothing that it does can harm the driver: an engine may have it
    run in the driver's own process."""

    def build(self) -> ShardWorker:
        module, _, factory = self.target.partition(":")
        return cast(ShardWorker, getattr(import_module(module), factory)(**self.kwargs))


class ShardOutcome(StrEnum):
    COMMITTED = "committed"
    SKIPPED = "skipped"  # another run had committed the shard before this one began it
    VERIFIED = "verified"  # it was looked at; `findings` tells what was found
    LOST_RACE = "lost_race"  # another attempt committed the same shard first
    FAILED = "failed"  # nothing was committed; says nothing about the items


@dataclass(frozen=True, slots=True)
class ShardResult:
    """How one attempt at a shard ended."""

    shard_id: int
    outcome: ShardOutcome
    num_items: int = 0
    num_quarantined: int = 0
    num_frames: int = 0
    seconds: float = 0.0
    message: str = ""
    """For a failure: what went wrong."""
    environment: bool = False
    """For a failure: the worker's surroundings failed, another worker may do better."""
    findings: Mapping[str, Any] | None = None
    """What a stage tells its driver beyond counts; plain JSON."""


class ShardWorker(Protocol):
    """Does shards in the process where it was built."""

    def ready(self) -> None:
        """Prove that the environment works before any work is taken.

        Raises:
            EnvironmentFault: the device or the output cannot be used.
        """

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        """Do the whole shard and commit it. Never raises for what an item contains.

        Once it has emitted `ShardDraining`, another thread may call it for another
        shard; a worker that never does has one shard at a time.

        Raises:
            EnvironmentFault: or an `OSError`: the worker's surroundings fail.
        """

    def close(self) -> None:
        """Release what the worker holds; it gets no more work."""
