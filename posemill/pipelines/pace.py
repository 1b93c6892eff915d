"""How fast a store grew while somebody was at work on it, from its own commits. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from posemill.provenance import Attempt


@dataclass(frozen=True, slots=True)
class Pace:
    """Work done per second by all workers together; pauses of the job are left out."""

    cost: float
    """Of all commits that tell of their attempt: seconds of footage, or clips."""
    busy_seconds: float
    """In which at least one of these attempts was at work."""
    num_shards: int

    def seconds_for(self, cost: float) -> float:
        """The time that more work takes with as many workers as so far."""
        return cost * self.busy_seconds / self.cost

    def as_dict(self, unit: str, cost_left: float) -> dict[str, Any]:
        """`unit` is what a cost is counted in."""
        return {
            f"{unit}_per_second": round(self.cost / self.busy_seconds, 2),
            "seconds_left": round(self.seconds_for(cost_left)),
            "rate_measured_on_shards": self.num_shards,
        }


def measure_pace(attempts: Iterable[Attempt | None]) -> Pace | None:
    """The pace of attempts that were committed; None where they tell of no work."""
    told = [attempt for attempt in attempts if attempt is not None]
    cost = sum(attempt.cost for attempt in told)
    busy = _covered(_interval(attempt) for attempt in told)
    return Pace(cost, busy, len(told)) if cost > 0 and busy > 0 else None


def _interval(attempt: Attempt) -> tuple[float, float]:
    end = datetime.fromisoformat(attempt.ended).timestamp()
    return end - attempt.seconds, end


def _covered(intervals: Iterable[tuple[float, float]]) -> float:
    """The length of what the intervals cover together."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered
