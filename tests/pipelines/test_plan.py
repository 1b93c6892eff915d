from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.pipelines.plan import (
    ShardLimits,
    assign_shards,
    begin_order,
    footage_seconds,
    video_cost_seconds,
)
from posemill.pipelines.tasks import ShardTask
from posemill.schema import Video

costs = st.lists(st.floats(0.0, 2000.0), max_size=80).map(np.array)
limits = st.builds(ShardLimits, st.integers(1, 20), st.floats(0.1, 1000.0))


@given(costs, limits)
def test_every_video_is_in_one_shard_in_order_within_the_limits(
    cost: np.ndarray, limit: ShardLimits
) -> None:
    shards = assign_shards(cost, limit)
    assert len(shards) == len(cost)
    steps = np.diff(shards, prepend=-1)[: len(shards)]
    assert set(steps.tolist()) <= {0, 1}  # numbered from 0, none left out, never back
    for shard in np.unique(shards):
        held = cost[shards == shard]
        assert len(held) <= limit.max_videos
        assert len(held) == 1 or held.sum() <= limit.max_cost * (1 + 1e-9)


@given(costs, limits)
def test_a_shard_is_closed_only_when_it_is_full(cost: np.ndarray, limit: ShardLimits) -> None:
    shards = assign_shards(cost, limit)
    for shard in np.unique(shards)[:-1]:
        held, following = cost[shards == shard], cost[shards == shard + 1][0]
        full = len(held) == limit.max_videos
        assert full or held.sum() + following > limit.max_cost * (1 - 1e-9)


def video(seconds: float | None = None, num_bytes: int = 0, **span: float) -> Video:
    return Video("v", "v.mp4", num_bytes, "", duration_seconds=seconds, **span)


@pytest.mark.parametrize(
    ("given_video", "seconds"),
    [
        (video(60.0, start_seconds=5.0, end_seconds=9.0), 4.0),  # the span
        (video(60.0), 60.0),
        (video(60.0, start_seconds=5.0), 55.0),  # from there to the end
        (video(4.0, start_seconds=5.0), 0.0),  # the span starts after the end
        (video(None, 500_000), 2.0),  # 2 Mbit/s
        (video(float("inf"), 500_000), 2.0),  # a length that is none
    ],
)
def test_cost_is_the_span_else_the_length_else_the_bytes(
    given_video: Video, seconds: float
) -> None:
    assert video_cost_seconds(given_video) == seconds


def test_costs_of_many_are_those_of_each() -> None:
    nan = np.nan
    found = footage_seconds([10, 500_000, 0], [5.0, 0.0, 2.0], [9.0, nan, nan], [60.0, nan, 3.0])
    np.testing.assert_array_equal(found, [4.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("videos", "per_shard"),
    [(0, 1), (1, 1), (9, 1), (17, 2), (384, 24), (4096, 256), (650_000, 256)],
)
def test_small_jobs_are_cut_into_about_sixteen_shards(videos: int, per_shard: int) -> None:
    assert ShardLimits.of_job(videos, 600.0) == ShardLimits(per_shard, 600.0)


def test_the_number_of_videos_in_a_shard_can_be_given() -> None:
    assert ShardLimits.of_job(10_000, 1.0, videos_per_shard=7) == ShardLimits(7, 1.0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 1.0), "at least 1 video, got 0"),
        ((1, 0.0), "than none, got 0"),
        ((1, np.nan), "got nan"),
    ],
)
def test_a_shard_of_nothing_is_refused(values: tuple[int, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ShardLimits(*values)


def tasks(cost: np.ndarray) -> list[ShardTask]:
    return [ShardTask("extract", shard, 1, float(seconds)) for shard, seconds in enumerate(cost)]


def order_of(cost: np.ndarray, seed: int) -> list[int]:
    return [task.shard_id for task in begin_order(tasks(cost), seed)]


@given(costs, st.integers(0, 2**64 - 1))
def test_every_shard_is_begun_once(cost: np.ndarray, seed: int) -> None:
    order = begin_order(tasks(cost), seed)
    assert sorted(order, key=lambda task: task.shard_id) == tasks(cost)
    assert order == begin_order(tasks(cost), seed)


def test_long_shards_are_begun_early() -> None:
    """One of six times the cost comes after a share q of the others with (1 - q) ** 6."""
    cost = np.array([1.0] * 50 + [6.0])
    places = np.array([order_of(cost, seed).index(50) for seed in range(400)])
    for share in (0.1, 0.25, 0.5):
        expected = (1 - share) ** 6
        # Four standard deviations of a mean of 400, and one place of fifty.
        slack = 4 * (expected * (1 - expected) / 400) ** 0.5 + 0.03
        assert abs((places > share * 50).mean() - expected) < slack


def test_two_jobs_begin_different_shards() -> None:
    """Played through: each takes its next shard that is not committed, one at a time."""
    cost = np.full(200, 600.0)
    doubled = []
    for seed in range(10):
        orders = [order_of(cost, 2 * seed + job) for job in range(2)]
        committed: set[int] = set()
        done = 0
        while len(committed) < len(cost):
            begun = [next(s for s in order if s not in committed) for order in orders]
            committed.update(begun)
            done += len(begun)
        doubled.append(done - len(cost))
    # Each finds the other's shard with 1 / n when n are left: about ln(200) / 2 in all.
    assert max(doubled) <= 12
