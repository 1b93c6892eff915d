"""What a crew needs of a worker that runs elsewhere: messages to and fro, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from posemill.pipelines.events import Event
from posemill.pipelines.tasks import ShardResult, ShardTask


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: it takes work."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """From a worker, its last words."""

    message: str


Message = Event | ShardResult | Ready | NotReady


class LinkLost(Exception):
    """A worker is no more, or cannot be reached; it may still be at work."""

    def __init__(self, cause: str, *, gave_up: bool = False) -> None:
        """`gave_up`: it ended by itself, and another one would, too."""
        super().__init__(cause)
        self.cause, self.gave_up = cause, gave_up


class WorkerLink(Protocol):
    """The driver's hold on one worker."""

    def assign(self, task: ShardTask) -> None:
        """Have it begin a shard; never raises: the next `receive` tells that it is gone."""

    def receive(self) -> Sequence[Message]:
        """What it said since; for one that `WorkerHost.wait` returned.

        Raises:
            LinkLost: it says nothing any more.
        """

    def stop(self, *, idle: bool) -> None:
        """End it: gently where it is idle."""


Link = TypeVar("Link", bound=WorkerLink)


class WorkerHost(Protocol[Link]):
    """Where workers are started."""

    def start(self, slot: int) -> Link:
        """A new worker in one of the places, counted from 0; it says `Ready` or `NotReady`."""

    def wait(self, links: Sequence[Link], seconds: float) -> Sequence[Link]:
        """Those of the workers that have said something, or are gone; waits for one so long."""

    def explain(self) -> str:
        """Why a worker may not have started in time, as far as can be told; or nothing."""

    def close(self) -> None:
        """When all workers are stopped."""
