"""Compiled loops, kept on the disk from one process to the next where that can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

_NO_PLACE = "no locator available"


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function without Python objects, to run without the interpreter's lock.

    The machine code is cached where `NUMBA_CACHE_DIR` says, else beside the
    function's file, else in the home folder. Where nothing of that can be
    written, every process compiles for itself, which costs it some seconds.
    """
    try:
        cached: Callable[..., Any] = njit(cache=True, nogil=True)(function)
    except RuntimeError as error:
        if _NO_PLACE not in str(error):
            raise
        uncached: Callable[..., Any] = njit(nogil=True)(function)
        return uncached
    return cached
