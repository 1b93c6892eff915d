"""Jobs for a supervisor's child, importable by name; an item's payload says what befalls it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import EnvironmentFault
from posemill.pipelines.supervise.messages import Item, Journal

_TIMES = {"once": 1, "thrice": 3}
_LOST_AFTER = {"after_item_fault": 1, "after_two_item_faults": 2}
"""How many items must have failed before known-good work does."""


class FaultyJob:
    """Answers with the process's number; `folder` remembers across processes."""

    facts = "the facts"

    def __init__(self, folder: Path, probe: str = "", ahead: int = 1) -> None:
        """`probe` befalls known-good work; `ahead` items are begun before one is finished."""
        self._folder, self._probe, self._ahead = folder, probe, ahead

    def probe(self) -> None:
        self._befall(self._probe, lambda _: None)

    def work(self, items: Iterator[Item | None], journal: Journal) -> None:
        while lot := self._next_items(items):
            for item in lot:
                journal.begin(item.id)
            for item in lot:
                journal.beat(f"looking at {item.id}")
                if item.payload == "plod":
                    _plod(lambda item_id=item.id: journal.advance(item_id))
                else:
                    self._befall(item.payload, journal.beat)
                sys.stdout.write("a line on standard output\n")
                journal.finish(item.id, os.getpid())

    def _next_items(self, items: Iterator[Item | None]) -> list[Item]:
        """As many as are begun together, or fewer where there are no more now."""
        return [item for item in takewhile(bool, islice(items, self._ahead)) if item]

    def _befall(self, fault: str, beat: Callable[[str], None]) -> None:
        kind, _, times = fault.partition(" ")
        if kind in _LOST_AFTER and self._faults() < _LOST_AFTER[kind]:
            return
        if times and self._faults(kind) >= _TIMES[times]:
            return
        if kind:
            (self._folder / f"{kind}.{self._faults(kind)}").touch()
            _FAULTS[kind](beat)

    def _faults(self, kind: str = "*") -> int:
        """How many there were so far, in all processes."""
        return len(list(self._folder.glob(f"{kind}.*")))


class PairingJob(FaultyJob):
    """Is done with an item, or fails by it, when the next one is begun; one that is the `last`
    waits for none."""

    def work(self, items: Iterator[Item | None], journal: Journal) -> None:
        held: Item | None = None
        for item in items:
            if item is None:
                time.sleep(0.01)
                continue
            journal.begin(item.id)
            if held is not None:
                self._befall(held.payload, journal.beat)
                journal.finish(held.id, os.getpid())
            held = item
            if item.payload == "last":
                journal.finish(item.id, os.getpid())
                held = None


def _raise(error: BaseException) -> Callable[[Any], None]:
    def fail(beat: object) -> None:
        raise error

    return fail


def _signal(number: signal.Signals) -> Callable[[Any], None]:
    return lambda _: os.kill(os.getpid(), number)


def _plod(advance: Callable[[], None]) -> None:
    for _ in range(5):
        time.sleep(0.6)
        advance()


def _dawdle(beat: Callable[[str], None]) -> None:
    while True:
        beat("dawdling")
        time.sleep(0.01)


def _hoard(beat: Callable[[str], None]) -> None:
    hoard = []
    while True:
        beat("hoarding")
        hoard.append(np.ones(2**22))  # 32 MiB
        time.sleep(0.01)


def _breed(beat: object) -> None:
    """A process of its own, then a hang that holds the interpreter's lock."""
    subprocess.Popen(["sleep", "600"], close_fds=False)
    ctypes.PyDLL(None).sleep(600)


_FAULTS: dict[str, Callable[[Any], None]] = {
    "segfault": lambda _: ctypes.string_at(0),
    "abort": lambda _: os.abort(),
    "exit": lambda _: sys.exit(3),
    "hang": lambda _: ctypes.PyDLL(None).sleep(600),
    "breed": _breed,
    "dawdle": _dawdle,
    "hoard": _hoard,
    "no_memory": _raise(MemoryError("want 9 TB")),
    "exception": _raise(RuntimeError("out of imagination")),
    "disk": _raise(OSError(28, "No space left on device")),
    "environment": _raise(EnvironmentFault("the network is gone")),
    **dict.fromkeys(_LOST_AFTER, _raise(RuntimeError("the device is lost"))),
    "killed": _signal(signal.SIGKILL),
    "terminated": _signal(signal.SIGTERM),
}
