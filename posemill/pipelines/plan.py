"""Which videos go into which shard. Pure: no files, no clocks.

A plan is made once and frozen in the store. It depends on the videos alone,
never on the number of workers, so that every run of a job sees the same shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from posemill.errors import InputError
from posemill.schema import Video

MAX_VIDEOS_PER_SHARD = 64
MAX_SHARD_SECONDS = 600.0
MIN_SHARDS = 16
"""A small job is cut into about this many shards, so that several workers have work."""

# Where a video's length is not known, its bytes tell it roughly: 2 Mbit/s.
_BYTES_PER_SECOND = 250_000.0


@dataclass(frozen=True, slots=True)
class PlannedShard:
    """The videos of one shard, in the order of its rows."""

    shard_id: int
    videos: tuple[Video, ...]
    cost_seconds: float


def video_cost_seconds(video: Video) -> float:
    """Seconds of footage that a video asks for: its span, else its length, else its bytes."""
    end = video.end_seconds if video.end_seconds is not None else video.duration_seconds
    if end is not None:
        return max(end - video.start_seconds, 0.0)
    return video.num_bytes / _BYTES_PER_SECOND


def default_videos_per_shard(num_videos: int) -> int:
    """64, or fewer where there would not be 16 shards."""
    return min(MAX_VIDEOS_PER_SHARD, max(1, ceil(num_videos / MIN_SHARDS)))


def plan_shards(
    videos: Sequence[Video], first_shard_id: int = 0, videos_per_shard: int | None = None
) -> tuple[PlannedShard, ...]:
    """Cut `videos`, in their order, into shards numbered from `first_shard_id`.

    A shard is closed when it holds `videos_per_shard` videos or ten minutes of
    footage; one longer video has a shard of its own.

    Raises:
        InputError: `videos_per_shard` is less than 1.
    """
    if videos_per_shard is None:
        videos_per_shard = default_videos_per_shard(len(videos))
    if videos_per_shard < 1:
        raise InputError(f"a shard must hold at least 1 video, got {videos_per_shard}")
    shards: list[PlannedShard] = []
    held: list[Video] = []
    held_seconds = 0.0
    for video in videos:
        cost = video_cost_seconds(video)
        if held and (len(held) == videos_per_shard or held_seconds + cost > MAX_SHARD_SECONDS):
            shards.append(PlannedShard(first_shard_id + len(shards), tuple(held), held_seconds))
            held, held_seconds = [], 0.0
        held.append(video)
        held_seconds += cost
    if held:
        shards.append(PlannedShard(first_shard_id + len(shards), tuple(held), held_seconds))
    return tuple(shards)
