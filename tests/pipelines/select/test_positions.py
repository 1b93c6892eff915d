"""Which clips are looked at: evenly spread, drawn, or by a score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.pipelines.select.histogram import PlaceHistogram
from posemill.pipelines.select.positions import (
    drawn_positions,
    top_positions,
    uniform_positions,
)


def test_uniform_by_hand() -> None:
    # The middles of K equal parts: 10 clips, 4 parts of 2.5: 1.25, 3.75, 6.25, 8.75.
    assert uniform_positions(10, 4).tolist() == [1, 3, 6, 8]
    assert uniform_positions(24, 1).tolist() == [12]
    assert uniform_positions(5, 2).tolist() == [1, 3]
    assert uniform_positions(3, 14).tolist() == [0, 1, 2]


@given(st.integers(1, 60), st.integers(1, 60))
def test_uniform_is_spread_and_symmetric(num_clips: int, keep: int) -> None:
    found = uniform_positions(num_clips, keep)
    assert len(found) == min(num_clips, keep)
    assert len(set(found.tolist())) == len(found)
    steps = np.diff(found)
    assert steps.max(initial=1) - steps.min(initial=num_clips) <= 1


def test_of_equal_scores_the_earlier_are_taken() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.9, 0.5, 0.5])
    assert top_positions(scores, 1).tolist() == [1]
    assert top_positions(scores, 2).tolist() == [1, 3]
    assert top_positions(scores, 4).tolist() == [1, 2, 3, 4]
    assert top_positions(scores, 9).tolist() == [0, 1, 2, 3, 4, 5]


def test_draws_follow_their_weights() -> None:
    rng = np.random.default_rng(0)
    weights = np.array([0.5, 0.3, 0.2])
    counts = np.zeros(3)
    pairs = np.zeros(3)
    for _ in range(4000):
        counts[drawn_positions(weights, 1, rng)] += 1
        pairs[drawn_positions(weights, 2, rng)] += 1
    np.testing.assert_allclose(counts / 4000, weights, atol=0.03)
    # Two without replacement: clip 2 is left out where the pair is (0, 1) in either order.
    both = 0.5 * 0.3 / 0.5 + 0.3 * 0.5 / 0.7
    assert pairs[2] / 4000 == pytest.approx(1 - both, abs=0.03)


def test_clips_without_weight_come_last() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert drawn_positions(np.array([0.0, 1.0, 0.0, 2.0]), 2, rng).tolist() == [1, 3]
        assert len(drawn_positions(np.array([0.0, 1.0, 0.0]), 2, rng)) == 2
        assert drawn_positions(np.zeros(4), 9, rng).tolist() == [0, 1, 2, 3]


def test_histogram_by_hand() -> None:
    # Of 4 clips the second and third, of 2 clips the second: over [0, 1) by quarters
    # 0, 1, 1 + 1/2 and 1/2 of 3 oracle clips.
    histogram = PlaceHistogram.of((np.array([1, 2]), np.array([1])), [4, 2])
    np.testing.assert_allclose(histogram.weights(4), np.array([0, 1, 1.5, 0.5]) / 3, atol=1e-12)
    np.testing.assert_allclose(histogram.weights(2), np.array([1, 2]) / 3, atol=1e-12)
    np.testing.assert_allclose(histogram.weights(1), [1.0])
    for num_clips in (3, 7, 250):
        assert histogram.weights(num_clips).sum() == pytest.approx(1)
        assert (histogram.weights(num_clips) >= 0).all()
