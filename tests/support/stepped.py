"""Threads that stop before each of their writes, so that tests choose how they interleave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from posemill.storage.objects import Objects

_METHODS = ("write_all", "create_if_absent", "delete")
_SECONDS = 60.0


class Killed(BaseException):
    """What a killed process does next: nothing."""


class Stepped(threading.Thread):
    """Calls `work` up to its write number `stop_at`, from 0, and waits there to be let go."""

    def __init__(self, work: Callable[[], object], stop_at: int) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._stop_at = stop_at
        self._paused, self._released = threading.Event(), threading.Event()
        self._dies = False
        self._num_writes = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001  told by `end`
            self.error = error
        finally:
            self._paused.set()

    def start_and_stop(self) -> bool:
        """False where it was done before."""
        self.start()
        assert self._paused.wait(_SECONDS)
        return self.is_alive() and self._num_writes == self._stop_at + 1

    def go_on(self, *, and_die: bool) -> None:
        """Let it do the write that it stopped before; then it dies, or goes on to its end."""
        self._dies = and_die
        self._released.set()
        self.join(_SECONDS)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error

    def write(self, call: Callable[[], Any]) -> Any:
        self._num_writes += 1
        here = self._num_writes == self._stop_at + 1
        if here:
            self._paused.set()
            assert self._released.wait(_SECONDS)
        result = call()
        if here and self._dies:
            raise Killed
        return result


@contextmanager
def stepping(objects: Objects) -> Iterator[None]:
    """While it lasts, writes to such a place of `Stepped` threads are steps of theirs."""
    kind = type(objects)
    real = {name: getattr(kind, name) for name in _METHODS}
    for name, method in real.items():
        setattr(kind, name, _stepped(method))
    try:
        yield
    finally:
        for name, method in real.items():
            setattr(kind, name, method)


def _stepped(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Objects, *arguments: Any) -> Any:
        thread = threading.current_thread()
        if isinstance(thread, Stepped):
            return thread.write(lambda: method(self, *arguments))
        return method(self, *arguments)

    return call
