"""Which videos go into which shard, and which shard is begun when. Pure: no files, no clocks.

A plan is made once and frozen in the store. It depends on the videos and on the
rate measured so far, never on the number of workers, so that every run of a job
sees the same shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.tasks import ShardTask
from posemill.schema import Int64, Video

Float64 = npt.NDArray[np.float64]

MAX_VIDEOS_PER_SHARD = 256
MAX_WORK_SECONDS = 600.0
"""Of a shard: what a kill costs at most, per worker."""
MIN_SHARDS = 16
"""A small job is cut into about this many shards, so that several workers have work."""

# Where a video's length is not known, its bytes tell it roughly: 2 Mbit/s.
_BYTES_PER_SECOND = 250_000.0


def footage_seconds(
    num_bytes: npt.ArrayLike,
    start_seconds: npt.ArrayLike,
    end_seconds: npt.ArrayLike,
    duration_seconds: npt.ArrayLike,
) -> Float64:
    """(N,) seconds to decode: the annotated span, else the known length, else by the bytes.

    NaN stands for an end or a duration that is not known.
    """
    start = np.asarray(start_seconds, np.float64)
    annotated = np.asarray(end_seconds, np.float64) - start
    probed = np.maximum(np.asarray(duration_seconds, np.float64) - start, 0.0)
    by_bytes = np.asarray(num_bytes, np.float64) / _BYTES_PER_SECOND
    known = np.where(np.isfinite(annotated), annotated, probed)
    return np.where(np.isfinite(known), known, by_bytes)


def video_cost_seconds(video: Video) -> float:
    """Seconds of footage that a video asks for, see `footage_seconds`."""
    end, duration = (
        np.nan if seconds is None else seconds
        for seconds in (video.end_seconds, video.duration_seconds)
    )
    return float(footage_seconds(video.num_bytes, video.start_seconds, end, duration))


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """A shard is full when it holds so many videos or so much work.

    Raises:
        InputError: a shard of no video, or of no work.
    """

    max_videos: int
    max_cost: float
    """In the unit of the stage: seconds of footage, or bytes to read."""

    def __post_init__(self) -> None:
        if self.max_videos < 1:
            raise InputError(f"a shard must hold at least 1 video, got {self.max_videos}")
        if not self.max_cost > 0.0:
            raise InputError(f"a shard must hold more work than none, got {self.max_cost}")

    @classmethod
    def of_job(
        cls, num_videos: int, max_cost: float, videos_per_shard: int | None = None
    ) -> ShardLimits:
        """256 videos, or fewer where there would not be 16 shards.

        `videos_per_shard` takes the place of that number.
        """
        few = max(1, ceil(num_videos / MIN_SHARDS))
        if videos_per_shard is None:
            videos_per_shard = min(MAX_VIDEOS_PER_SHARD, few)
        return cls(videos_per_shard, max_cost)


def assign_shards(cost: Float64, limits: ShardLimits) -> Int64:
    """(N,) the shard of each video, from 0: neighbours stay together, in their order.

    A video that is longer than a shard may be has one of its own.
    """
    before = np.concatenate([[0.0], np.cumsum(cost)])
    is_first = np.zeros(len(cost), np.int64)
    first = 0
    while first < len(cost):
        is_first[first] = 1
        most = before[first] + limits.max_cost
        full = int(np.searchsorted(before, most, side="right")) - 1
        first = max(min(full, first + limits.max_videos), first + 1)
    return np.cumsum(is_first) - 1


def begin_order(tasks: Sequence[ShardTask], seed: int) -> tuple[ShardTask, ...]:
    """The tasks in an order that is nearly longest first, and another one for every seed.

    Longest first, so that no long shard is begun last and waited for alone. Nearly, so
    that two jobs on one store begin different shards, find the other one's committed and
    pass them over: they share the work without talking to each other. Of n shards, two
    jobs of w workers do about w ln n twice. Each place is drawn among all tasks that
    are left, in proportion to their cost (Plackett-Luce, drawn by Gumbel noise on the
    logarithms).
    """
    cost = np.array([task.cost for task in tasks], np.float64)
    noise = np.random.default_rng(seed).gumbel(size=len(tasks))
    keys = np.log(np.maximum(cost, 1e-3)) + noise
    return tuple(tasks[place] for place in np.argsort(-keys))
