"""Who is at fault when a child is lost: an item, or the environment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Any

from posemill.errors import EnvironmentFault
from posemill.pipelines.supervise.limits import Limits
from posemill.pipelines.supervise.losses import ProcessLost, during
from posemill.pipelines.supervise.messages import (
    Advanced,
    Begun,
    Broke,
    Cause,
    Condemned,
    Fault,
    Finished,
    Item,
    JobSpec,
    Loss,
    NotReady,
    Ready,
    Report,
    Setback,
    Want,
)
from posemill.pipelines.supervise.process import ChildProcess
from posemill.pipelines.supervise.watch import Watch

_MAX_KILLS = 5
"""How often in a row others may kill the child before the environment counts as at fault."""
_PATIENCE_ALONE = 2.0
"""A suspect gets more time alone: a busy machine must not condemn it."""


NextItem = Callable[[], Item | None]


class _Lost(Exception):
    """A child was lost at work; `suspects` are the items it had begun, newest first."""

    def __init__(self, loss: Loss, watch: Watch) -> None:
        super().__init__(loss.message)
        self.loss, self.suspects, self._unfinished = loss, watch.suspects, watch.unfinished

    @property
    def says_nothing(self) -> bool:
        return self.loss.cause is Cause.KILLED or not self.suspects

    @property
    def innocent(self) -> tuple[Item, ...]:
        """Items that were in its hands and are not under suspicion, in that order."""
        suspected = set() if self.says_nothing else {item.id for item in self.suspects}
        return tuple(item for item in self._unfinished if item.id not in suspected)


class _Agenda:
    """What is to be done next: what a lost child left, then what comes."""

    def __init__(self, items: Iterable[Item | None]) -> None:
        self._coming, self._left = iter(items), deque[Item]()

    def take(self) -> Item | None:
        """The next item, where there is one now."""
        return self._left.popleft() if self._left else next(self._coming, None)

    def put_back(self, items: Sequence[Item]) -> None:
        self._left.extendleft(reversed(items))

    def has_more(self) -> bool:
        if (item := self.take()) is not None:
            self.put_back([item])
        return item is not None


class Supervisor:
    """Gives items to one child process after the other. Not for several threads."""

    def __init__(self, spec: JobSpec, limits: Limits, check: Callable[[Any], None]) -> None:
        """`check` is called with the facts of every child that is started; it may raise."""
        self._spec, self._limits, self._check = spec, limits, check
        self._child: ChildProcess | None = None

    def ready(self) -> None:
        """Start a child, unless there is one, and see known-good work go through it.

        Raises:
            EnvironmentFault: it does not.
        """
        self._ready_child()

    def _ready_child(self) -> ChildProcess:
        kills = 0
        while self._child is None:
            try:
                self._child = self._start()
            except ProcessLost as lost:
                if lost.loss.cause is not Cause.KILLED:
                    raise EnvironmentFault(
                        f"known-good work fails in a fresh process: {lost.loss.message}"
                    ) from None
                kills = _one_more(kills, lost.loss)
        return self._child

    def work(self, items: Iterable[Item | None]) -> Iterator[Report]:
        """Do the items; each is reported as `Finished` or `Condemned`, in any order.

        They are asked for one by one, as the child wants them. None says that there is
        none now; where all before are done, that ends the work, as the items' end does.

        Raises:
            EnvironmentFault: known-good work fails, or the child is lost by no item's doing.
        """
        agenda, kills = _Agenda(items), 0
        try:
            while agenda.has_more():
                try:
                    for message in self._attempt(agenda.take, patience=1.0):
                        if isinstance(message, Finished):
                            kills = 0
                        yield message
                except _Lost as lost:
                    yield Setback(tuple(item.id for item in lost.suspects), lost.loss.message)
                    agenda.put_back(lost.innocent)
                    if lost.says_nothing:
                        kills = _one_more(kills, lost.loss)
                        continue
                    for item in lost.suspects:
                        yield self._alone(item, lost.loss)
        except BaseException:  # also when whoever asked has lost interest
            self._drop()
            raise

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.end(kill=False)
            self._child = None

    def _alone(self, item: Item, first: Loss) -> Finished | Condemned:
        """A suspect in a fresh child, between known-good work before and after."""
        kills = 0
        while True:
            if self._child is not None and self._child.used:
                self._drop()
            try:
                return self._only_result(item)
            except _Lost as lost:
                if lost.says_nothing:
                    kills = _one_more(kills, lost.loss)
                    continue
                self.ready()
                return _condemned(item, first, lost.loss)

    def _only_result(self, item: Item) -> Finished:
        only = iter((item,))
        messages = self._attempt(lambda: next(only, None), _PATIENCE_ALONE)
        (finished,) = [message for message in messages if isinstance(message, Finished)]
        return finished

    def _attempt(self, next_item: NextItem, patience: float) -> Iterator[Begun | Finished]:
        """Have a child do items, until all are done and there is no next one.

        Raises:
            _Lost: the child is no more.
            EnvironmentFault: the child says so, or no child can be started.
        """
        child = self._ready_child()
        watch = Watch(child.pid, child.pulse, self._limits, patience)
        while not child.wants or _answer(child, watch, next_item()):
            try:
                message = child.receive(watch.overrun)
            except ProcessLost as lost:
                loss = during(lost.loss, child.pulse.activity)
                self._drop()
                raise _Lost(loss, watch) from None
            match message:
                case Want():
                    child.wants = True
                case Advanced():
                    watch.note(message)
                case Begun() | Finished():
                    watch.note(message)
                    yield message
                case Broke(loss=loss):
                    self._drop()
                    raise _Lost(loss, watch)
                case Fault(message=text):
                    raise EnvironmentFault(text)
                case _:
                    raise AssertionError(f"a child at work said {message}")

    def _start(self) -> ChildProcess:
        """Raises:
        ProcessLost: it ended before it was ready.
        EnvironmentFault: known-good work fails in it.
        """
        limit = self._limits.start_seconds
        late_at = monotonic() + limit
        late = Loss(Cause.TIMEOUT, f"not ready after {limit:.0f} s")
        child = ChildProcess(self._spec)
        try:
            message = child.receive(lambda: late if monotonic() > late_at else None)
            if not isinstance(message, Ready):
                text = message.message if isinstance(message, NotReady) else f"it said {message}"
                raise EnvironmentFault(text)
            self._check(message.facts)
        except BaseException:
            child.end(kill=True)
            raise
        child.pid = message.pid
        return child

    def _drop(self) -> None:
        if self._child is not None:
            self._child.end(kill=True)
            self._child = None


def _answer(child: ChildProcess, watch: Watch, item: Item | None) -> bool:
    """Give a child the item that it wants, or None; False where it would wait for nothing."""
    if item is not None:
        watch.hand_over(item)
        child.used = True
    elif not watch.unfinished:
        return False
    child.send(item)
    child.wants = False
    return True


def _one_more(kills: int, loss: Loss) -> int:
    """Raises:
    EnvironmentFault: it was one too many.
    """
    if kills + 1 >= _MAX_KILLS:
        raise EnvironmentFault(
            f"a child process was lost {_MAX_KILLS} times in a row by no item's doing, at last it "
            f"was {loss.message}; see what kills it"
        )
    return kills + 1


def _condemned(item: Item, first: Loss, again: Loss) -> Condemned:
    before = "" if first.message == again.message else f" (at first: {first.message})"
    return Condemned(
        item.id, again.cause, f"{again.message}, also alone in a fresh process{before}"
    )
