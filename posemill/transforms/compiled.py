"""Compiled loops, kept on the disk from one process to the next where that can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_NO_PLACE = "no locator available"


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function without Python objects, to run without the interpreter's lock.

    The machine code is cached where `NUMBA_CACHE_DIR` says, else beside the
    function's file, else in the home folder. Where nothing of that can be
    written, every process compiles for itself, which costs it some seconds.
    Division by zero gives infinity or NaN, as in numpy.
    """
    try:
        cached: Callable[..., Any] = njit(cache=True, **_OPTIONS)(function)
    except RuntimeError as error:
        if _NO_PLACE not in str(error):
            raise
        uncached: Callable[..., Any] = njit(**_OPTIONS)(function)
        return uncached
    return cached


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """A part of compiled functions, which are compiled as if it were written out in each.

    A call would cost more than a few pixels do: numba counts references to
    every array that is passed on.
    """
    part: Callable[..., Any] = njit(inline="always", **_OPTIONS)(function)
    return part
