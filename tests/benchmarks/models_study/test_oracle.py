"""Every pair can be decided from clean joints, else it would tell nothing of the models."""

import numpy as np
import pytest
from models_study.actions import ActionClip, clean_actor
from models_study.motions import PAIRS
from models_study.oracle import is_second

PER_CLASS = 50


def clean(pair: int, second: int, number: int) -> np.ndarray:
    return clean_actor(ActionClip("test", 2 * pair + second, number), seed=11)


@pytest.mark.parametrize("pair", range(6), ids=[pair.name for pair in PAIRS])
def test_hand_written_features_decide_98_percent_of_clean_clips(pair):
    right = [
        is_second(PAIRS[pair].name, clean(pair, second, number)) == bool(second)
        for number in range(PER_CLASS)
        for second in (0, 1)
    ]
    assert np.mean(right) >= 0.98


@pytest.mark.parametrize("name", ["sit", "order"])
def test_backwards_it_is_the_other_class(name):
    pair = [each.name for each in PAIRS].index(name)
    for number in range(10):
        for second in (0, 1):
            xy = clean(pair, second, number)
            assert is_second(name, xy[::-1]) != is_second(name, xy)


@pytest.mark.parametrize("name", ["wave", "squat", "pump", "hold"])
def test_no_other_pair_depends_on_the_direction_of_time(name):
    pair = [each.name for each in PAIRS].index(name)
    right = [
        is_second(name, clean(pair, second, number)[::-1]) == bool(second)
        for number in range(10)
        for second in (0, 1)
    ]
    assert np.mean(right) >= 0.95


def test_frames_in_disorder_cannot_be_counted():
    pair = [each.name for each in PAIRS].index("squat")
    rng = np.random.default_rng(0)
    said = [is_second("squat", rng.permutation(clean(pair, 0, number))) for number in range(10)]
    assert all(said)  # everything looks like many squats
