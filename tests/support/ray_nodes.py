"""Nodes of a Ray cluster on a busy machine."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from processes import MARK, marked

_ATTEMPTS = 3

T = TypeVar("T")


def patiently(start: Callable[[], T], clean_up: Callable[[], object] = lambda: None) -> T:
    """What `start` gives: Ray gives a node half a minute, which a busy machine exceeds.

    `clean_up` follows a start that took too long.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return start()
        except Exception as error:
            clean_up()
            if attempt + 1 == _ATTEMPTS or "timed out during startup" not in str(error):
                raise
    raise AssertionError("unreachable")


def add_node(cluster: Any, mark: str = "", **options: Any) -> Any:
    """A node whose processes have the mark, or one of their own."""
    mark = mark or uuid.uuid4().hex

    def start() -> Any:
        return cluster.add_node(env_vars={MARK: mark}, include_log_monitor=False, **options)

    # One that comes up late would be a node too many.
    return patiently(start, lambda: kill(mark))


def kill(mark: str, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to all processes with the mark."""
    for pid in marked(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
