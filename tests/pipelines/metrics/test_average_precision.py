"""Average precision by hand, against a plain loop by Charades' rule, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.pipelines.metrics import mean_average_precision
from posemill.pipelines.metrics.average_precision import (
    average_precision,
    average_precisions,
    chance_precision,
)


def by_charades(scores: np.ndarray, positive: np.ndarray) -> float:
    """The mean over positives of the precision at each, in the order of the scores."""
    right, total = 0, 0.0
    for rank, clip in enumerate(np.argsort(-scores), start=1):
        if positive[clip]:
            right += 1
            total += right / rank
    return total / positive.sum()


def test_precision_at_each_positive_is_averaged() -> None:
    # Ranked: right, wrong, right, right: precisions 1/1, 2/3, 3/4 at the positives.
    scores, positive = np.array([0.1, 0.9, 0.5, 0.2]), np.array([True, True, False, True])
    assert average_precision(scores, positive) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


def test_clips_of_equal_score_share_the_precision_of_their_group() -> None:
    # 0.9 right; then two at 0.5, one right: both found at rank 3 with precision 2/3.
    scores, positive = np.array([0.5, 0.9, 0.5]), np.array([True, True, False])
    assert average_precision(scores, positive) == pytest.approx((1 + 2 / 3) / 2)


def test_a_video_without_scores_comes_last() -> None:
    # Its positive is found at rank 3 of 3: precision 2/3.
    scores, positive = np.array([0.0, -np.inf, -5.0]), np.array([True, True, False])
    assert average_precision(scores, positive) == pytest.approx((1 + 2 / 3) / 2)


def test_classes_without_positives_do_not_count() -> None:
    scores = np.array([[0.9, 0.1, 0.5], [0.2, 0.8, 0.5]], np.float32)
    labels = [(0,), (0, 1)]
    assert mean_average_precision(scores, labels) == 1.0  # classes 0 and 1: all positives first
    with pytest.raises(ValueError, match="none of 2 clips has a label"):
        mean_average_precision(scores, [(), ()])


def test_chance_is_the_share_of_positives() -> None:
    positives = np.array([[True, True, False], [True, False, False]])
    assert chance_precision(positives) == pytest.approx((1 + 1 / 2) / 2)
    assert chance_precision(np.zeros((2, 3), bool)) == 0.0


def test_random_scores_give_what_chance_says() -> None:
    rng = np.random.default_rng(0)
    positives = rng.random((4000, 3)) < (0.1, 0.3, 0.5)
    found = average_precisions(rng.random(positives.shape).astype(np.float32), positives)
    assert found.mean() == pytest.approx(chance_precision(positives), abs=0.02)


@given(st.integers(1, 30), st.booleans(), st.integers(0, 2**32 - 1))
def test_it_is_charades_rule_and_the_order_of_clips_does_not_matter(
    count: int, has_ties: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, count).astype(float) if has_ties else rng.permutation(count) / 7
    positive = rng.random(count) < 0.4
    positive[rng.integers(count)] = True
    found = average_precision(scores, positive)
    if not has_ties:
        assert found == pytest.approx(by_charades(scores, positive))
    order = rng.permutation(count)
    assert average_precision(scores[order], positive[order]) == pytest.approx(found)
    assert average_precision(positive.astype(float), positive) == 1.0
    assert 0 < found <= 1
