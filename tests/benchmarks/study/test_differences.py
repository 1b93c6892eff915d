"""Intervals and verdicts of outcomes made by hand."""

import numpy as np
import pytest
from study.differences import Difference, Verdict, paired_difference


def outcomes(*rows: str) -> np.ndarray:
    """(S, N) of a text of 1 and 0 for each seed."""
    return np.array([[letter == "1" for letter in row] for row in rows])


def of_shares(shares: list[float], num_clips: int = 1000) -> np.ndarray:
    """(S, N): that share of each seed's first clips right."""
    return np.arange(num_clips) < np.array(shares)[:, None] * num_clips


def test_the_mean_is_the_difference_of_accuracies():
    difference = paired_difference(outcomes("1110", "1100"), outcomes("1000", "0100"))
    assert difference.mean == pytest.approx(5 / 8 - 2 / 8)


def test_equal_outcomes_have_an_interval_of_nothing():
    same = outcomes("1010", "0111")
    assert paired_difference(same, same) == Difference(0.0, 0.0, 0.0)


def test_pairs_are_resampled_together():
    # Both of 50%, and never apart; resampled one by one, they would differ by several points.
    half = of_shares([0.5, 0.5])
    gained = half.copy()
    gained[:, 999] = True
    difference = paired_difference(gained, half)
    assert difference.mean == pytest.approx(0.001)
    assert 0.0 <= difference.low <= difference.high < 0.005


def test_clips_alone_give_the_interval_of_a_binomial():
    # 300 of 1,000 clips gained in either seed: no spread of seeds, 2,000 clips in all.
    difference = paired_difference(of_shares([0.3, 0.3]), of_shares([0.0, 0.0]))
    error = 1.96 * np.sqrt(0.3 * 0.7 / 2000)
    assert difference.low == pytest.approx(0.3 - error, abs=0.002)
    assert difference.high == pytest.approx(0.3 + error, abs=0.002)


def test_seeds_are_resampled_too():
    # Clips are certain: a mean of two seeds is 0, .5 or 1 with chances 1/4, 1/2, 1/4.
    difference = paired_difference(of_shares([1.0, 0.0]), of_shares([0.0, 0.0]))
    assert (difference.low, difference.high) == (0.0, 1.0)


def test_equal_outcomes_give_equal_intervals():
    first, second = of_shares([0.5, 0.6]), of_shares([0.4, 0.6])
    assert paired_difference(first, second) == paired_difference(first, second)
    assert paired_difference(first, second) != paired_difference(first, second, seed=1)


@pytest.mark.parametrize(
    ("low", "high", "gain", "verdict"),
    [
        (0.01, 0.05, True, Verdict.SHOWN),
        (-0.01, 0.05, True, Verdict.NOT_RESOLVED),
        (0.0, 0.05, True, Verdict.NOT_RESOLVED),
        (-0.05, -0.01, True, Verdict.REVERSED),
        (0.01, 0.05, False, Verdict.HIGHER),
        (-0.01, 0.01, False, Verdict.NOT_RESOLVED),
        (-0.05, -0.01, False, Verdict.LOWER),
    ],
)
def test_verdicts(low, high, gain, verdict):
    assert Difference((low + high) / 2, low, high).verdict(gain=gain) is verdict


@pytest.mark.parametrize("second", [np.ones((2, 3), bool), np.ones(4, bool), np.ones((4, 2), bool)])
def test_other_clips_cannot_be_compared(second):
    with pytest.raises(ValueError, match=r"outcomes must be \(S, N\) and alike"):
        paired_difference(np.ones((2, 4), bool), second)
