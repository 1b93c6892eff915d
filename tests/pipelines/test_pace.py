"""The rate of a job, from what its commits tell of their attempts."""

from __future__ import annotations

from posemill.pipelines.pace import Pace, measure_pace
from posemill.provenance import Attempt


def attempt(start: int, seconds: float, cost: float) -> Attempt:
    """One that began so many seconds after noon."""
    end = 12 * 3600 + start + int(seconds)
    ended = f"2026-01-02T{end // 3600:02d}:{end // 60 % 60:02d}:{end % 60:02d}+00:00"
    return Attempt(seconds, cost, ended, {})


def test_attempts_at_once_share_their_time() -> None:
    pace = measure_pace([attempt(0, 100, 50), attempt(20, 100, 30), attempt(40, 10, 20)])
    assert pace == Pace(cost=100, busy_seconds=120, num_shards=3)
    assert pace.seconds_for(50) == 60


def test_a_pause_of_the_job_does_not_count() -> None:
    pace = measure_pace([attempt(5000, 10, 30), attempt(0, 10, 30)])
    assert pace == Pace(cost=60, busy_seconds=20, num_shards=2)


def test_commits_that_tell_of_no_attempt_give_no_pace() -> None:
    assert measure_pace([None, None]) is None
    assert measure_pace([]) is None
    assert measure_pace([attempt(0, 0, 0)]) is None


def test_what_is_told() -> None:
    told = Pace(cost=100, busy_seconds=50, num_shards=4).as_dict("clips", 10)
    assert told == {"clips_per_second": 2.0, "seconds_left": 5, "rate_measured_on_shards": 4}
