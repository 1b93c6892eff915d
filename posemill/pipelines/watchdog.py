"""Worker processes that end with the process that started them, whatever ended it."""

from __future__ import annotations

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """Call it once in a worker: from then on the worker ends when its parent does.

    A parent that is killed cannot tell its workers to stop; without this they
    wait for work for ever.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
