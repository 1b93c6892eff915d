from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.storage.timestamps import RisingClock


def _ticks(times: list[float], fps: float | None) -> list[float]:
    clock = RisingClock(fps)
    return [clock.tick(seconds) for seconds in times]


def test_takes_the_containers_times_while_they_rise() -> None:
    assert _ticks([0.0, 0.1, 0.35, 0.4], 10) == [0.0, 0.1, 0.35, 0.4]


def test_counts_on_from_the_first_time_that_does_not_rise() -> None:
    # AVI with B-frames: the times start late and end at 0.
    assert _ticks([0.2, 0.3, 0.0, 0.9], 10) == pytest.approx([0.2, 0.3, 0.4, 0.5])


def test_starts_at_0_where_the_container_has_no_times() -> None:
    assert _ticks([math.nan, math.nan, 3.0], 10) == pytest.approx([0.0, 0.1, 0.2])


def test_counts_by_division_so_that_errors_do_not_grow() -> None:
    assert _ticks([math.nan] * 1000, 10) == [index / 10 for index in range(1000)]


def test_takes_25_per_second_where_no_rate_is_known() -> None:
    assert _ticks([0.0, 0.0], None) == pytest.approx([0.0, 0.04])


@given(
    st.lists(st.floats(min_value=-1e3, max_value=1e6) | st.sampled_from([math.nan, math.inf, 0.0])),
    st.floats(min_value=1, max_value=1000),
)
def test_always_rises(times: list[float], fps: float) -> None:
    ticks = _ticks(times, fps)
    assert all(later > earlier for earlier, later in pairwise(ticks))
    assert all(map(math.isfinite, ticks))
