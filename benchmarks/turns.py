"""Timing that other work on the machine disturbs alike for everybody who is compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

TURN_MS = 30.0
MIN_CALLS = 5

Work = Callable[[], object]


class Times(NamedTuple):
    """Processor milliseconds of a call: median, and where the middle 80% lie."""

    median: float
    low: float
    high: float
    calls: int

    def __str__(self) -> str:
        return f"{self.median:9.3f} ms ({self.low:8.3f} .. {self.high:8.3f}, n={self.calls:5d})"


def measure(work: dict[str, Work], seconds: float) -> dict[str, Times]:
    """The times of each, called in turn for `seconds` each, after two calls to warm up.

    Processor time, all threads' together: waiting for a processor is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in work}
    for call in work.values():
        call(), call()
    end = time.perf_counter() + seconds * len(work)
    while time.perf_counter() < end or min(map(len, times.values())) < MIN_CALLS:
        for name, call in work.items():
            times[name] += _turn(call)
    return {name: _summary(each) for name, each in times.items()}


def _turn(call: Work) -> list[float]:
    turn: list[float] = []
    while sum(turn) < TURN_MS:
        start = time.process_time()
        call()
        turn.append((time.process_time() - start) * 1e3)
    return turn


def _summary(each: list[float]) -> Times:
    low, median, high = np.percentile(each, [10, 50, 90])
    return Times(float(median), float(low), float(high), len(each))
