from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.pipelines.plan import (
    MAX_SHARD_SECONDS,
    default_videos_per_shard,
    plan_shards,
    video_cost_seconds,
)
from posemill.schema import Video


def video(number: int, seconds: float | None = 1.0, num_bytes: int = 0) -> Video:
    return Video(
        id=f"v{number}",
        uri=f"v{number}.mp4",
        num_bytes=num_bytes,
        identity="",
        duration_seconds=seconds,
    )


@given(
    st.lists(st.floats(0.0, 2000.0), max_size=80),
    st.integers(0, 50),
    st.integers(1, 20) | st.none(),
)
def test_a_plan_holds_every_video_once_in_order_within_the_limits(
    seconds: list[float], first: int, per_shard: int | None
) -> None:
    videos = [video(number, length) for number, length in enumerate(seconds)]
    shards = plan_shards(videos, first, per_shard)
    assert [v for shard in shards for v in shard.videos] == videos
    assert [shard.shard_id for shard in shards] == list(range(first, first + len(shards)))
    limit = per_shard or default_videos_per_shard(len(videos))
    for shard in shards:
        assert 1 <= len(shard.videos) <= limit
        assert shard.cost_seconds <= MAX_SHARD_SECONDS or len(shard.videos) == 1


def test_cost_is_the_span_else_the_duration_else_the_bytes() -> None:
    span = Video("a", "a.mp4", 10, "", duration_seconds=60.0, start_seconds=5.0, end_seconds=9.0)
    assert video_cost_seconds(span) == 4.0
    assert video_cost_seconds(video(0, seconds=60.0)) == 60.0
    assert video_cost_seconds(video(0, seconds=None, num_bytes=500_000)) == 2.0  # 2 Mbit/s


@pytest.mark.parametrize(
    ("videos", "per_shard"), [(0, 1), (1, 1), (9, 1), (17, 2), (384, 24), (1024, 64), (240_000, 64)]
)
def test_small_jobs_are_cut_into_about_sixteen_shards(videos: int, per_shard: int) -> None:
    assert default_videos_per_shard(videos) == per_shard


def test_a_shard_without_videos_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1 video, got 0"):
        plan_shards([video(0)], videos_per_shard=0)
