"""What travels between a supervisor and its child, and what a supervisor reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol, cast


@dataclass(frozen=True, slots=True)
class Item:
    """Work that is tried alone when it is under suspicion."""

    id: str
    payload: Any
    cost: float
    """Expected work, in the unit of `Limits.item_seconds_per_cost`."""


class Journal(Protocol):
    """Where a job notes what it does, from the thread that does it."""

    def begin(self, item_id: str) -> None:
        """From now on the item is under suspicion."""

    def advance(self, item_id: str) -> None:
        """The item got on: its limit of time begins anew. As often as it does."""

    def finish(self, item_id: str, result: Any) -> None:
        """The item is done; its result is anything that can be pickled."""

    def beat(self, activity: str) -> None:
        """A sign of life, and what is done now, e.g. `decoding frame 3`; costs microseconds."""


class Job(Protocol):
    """Does items in a child process, where it was built."""

    facts: Any
    """What the supervisor's owner checks before it takes the child's results."""

    def probe(self) -> None:
        """Known-good work; whatever it raises is the environment's fault."""

    def work(self, items: Iterator[Item | None], journal: Journal) -> None:
        """Begin and finish every item that comes, until no more will.

        To ask `items` for the next one says that it is wanted now, to be begun
        or to be prepared; the supervisor answers at once:

        - an item: the next in order, whichever shard it is of;
        - `None`: there is none now, and items are in the job's hands that it has
          not finished. Go on with those, a batch that is not full too, and ask
          again: at the latest when one of them is finished;
        - where all are finished it blocks until there is another one;
        - it ends when none will come: then return.

        It is called once in a child's life. Ask, begin, finish and beat from
        one thread.

        An `EnvironmentFault` or an `OSError` is the environment's; any other
        exception puts the items that are begun and not finished under suspicion,
        and so does `losses.ProcessLost` of a process that the job had started.
        """


@dataclass(frozen=True, slots=True)
class JobSpec:
    """How to build a job in a child: a name, never a closure."""

    target: str
    """`package.module:factory`; `factory(**kwargs)` returns a `Job`."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> Job:
        module, _, factory = self.target.partition(":")
        return cast(Job, getattr(import_module(module), factory)(**self.kwargs))


class Cause(StrEnum):
    """Why a child was lost."""

    CRASHED = "crashed"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    FAILED = "failed"  # an exception
    KILLED = "killed"  # by somebody else: says nothing about the items


@dataclass(frozen=True, slots=True)
class Loss:
    cause: Cause
    message: str


@dataclass(frozen=True, slots=True)
class Ready:
    """From a child: known-good work went well."""

    pid: int
    facts: Any


@dataclass(frozen=True, slots=True)
class NotReady:
    message: str


@dataclass(frozen=True, slots=True)
class Want:
    """From a child: it takes another item; an `Item` or None is the answer."""


@dataclass(frozen=True, slots=True)
class Begun:
    item_id: str


@dataclass(frozen=True, slots=True)
class Advanced:
    item_id: str


@dataclass(frozen=True, slots=True)
class Finished:
    item_id: str
    result: Any


@dataclass(frozen=True, slots=True)
class Broke:
    """From a child, its last words: an exception that items may have caused."""

    loss: Loss


@dataclass(frozen=True, slots=True)
class Fault:
    """From a child, its last words: the environment failed."""

    message: str


Message = Ready | NotReady | Want | Begun | Advanced | Finished | Broke | Fault


@dataclass(frozen=True, slots=True)
class Setback:
    """Reported: the child was lost; work goes on in another one."""

    item_ids: tuple[str, ...]
    """Those under suspicion."""
    message: str


@dataclass(frozen=True, slots=True)
class Condemned:
    """Reported: an item failed alone, twice, while known-good work went well."""

    item_id: str
    reason: str
    """One of `crashed`, `timeout`, `memory`, `failed`."""
    message: str


Report = Begun | Finished | Setback | Condemned
