"""Trials in processes, which end soon after the one that started them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from threading import Thread
from time import sleep
from typing import TypeVar

_Done = TypeVar("_Done")


def study_pool(processes: int) -> ProcessPoolExecutor:
    """Fresh processes, which end though this one may be killed."""
    return ProcessPoolExecutor(processes, get_context("spawn"), _end_with_parent)


def collect(
    started: Sequence[Future[_Done]], keep: Callable[[_Done], None], tell: Callable[[_Done], str]
) -> None:
    """Keep each result as it comes, and print a line about it."""
    for number, done in enumerate(as_completed(started), start=1):
        keep(done.result())
        print(f"{number} of {len(started)}: {tell(done.result())}", flush=True)


def _end_with_parent() -> None:
    """Let this process end soon after the one that started it, which may be killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            sleep(1.0)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
