"""Classes of a pair differ in their factor and in nothing else: with equal generators."""

from dataclasses import fields

import numpy as np
import pytest
from models_study.motions import (
    ABDUCTION,
    CLASSES,
    ELBOW,
    LEFT,
    PAIRS,
    hold_or_oscillate,
    perform,
    pump,
    raise_and_kick,
    sit_or_stand,
    squat,
    wave_or_sway,
)

FRAMES = 60


def both(motion, seed=0):
    return [motion(np.random.default_rng(seed), FRAMES, second) for second in (False, True)]


def test_six_pairs_of_classes():
    assert len(PAIRS) == 6
    assert len(set(CLASSES)) == 12


def test_standing_up_is_sitting_down_backwards():
    down, up = both(sit_or_stand)
    for field in fields(down):
        np.testing.assert_array_equal(getattr(down, field.name)[::-1], getattr(up, field.name))


def test_raise_and_kick_are_equal_but_for_their_times():
    def peaks(track):
        return track.arms[:, LEFT, ABDUCTION].argmax(), track.legs[:, LEFT, 0].argmax()

    first, second = both(raise_and_kick)
    (arm_1, leg_1), (arm_2, leg_2) = peaks(first), peaks(second)
    assert arm_1 < FRAMES / 2 < leg_1
    assert leg_2 < FRAMES / 2 < arm_2
    assert abs(arm_1 - leg_2) <= 2
    assert abs(leg_1 - arm_2) <= 2


def test_a_wave_bends_the_elbow_and_a_sway_the_shoulder():
    wave, sway = both(wave_or_sway)
    swing = {
        name: np.ptp(track.arms[:, LEFT], axis=0)[[ABDUCTION, ELBOW]]
        for name, track in (("wave", wave), ("sway", sway))
    }
    assert swing["wave"][1] > np.radians(40) > swing["wave"][0]
    assert swing["sway"][0] > np.radians(40) > swing["sway"][1]


@pytest.mark.parametrize(("motion", "axis"), [(squat, "legs"), (pump, "arms")])
@pytest.mark.parametrize("seed", range(5))
def test_repeats_reach_as_deep_however_many(motion, axis, seed):
    few, many = (getattr(track, axis)[:, LEFT] for track in both(motion, seed))
    np.testing.assert_allclose(np.ptp(few, axis=0), np.ptp(many, axis=0), atol=0.25)


def test_squats_are_as_deep_on_average_two_or_four():
    few, many = (track.legs[..., 2].mean(axis=0) for track in both(squat))
    np.testing.assert_allclose(few, many, atol=0.03)


def test_what_oscillates_is_held_on_average():
    hold, swing = (track.arms[:, LEFT] for track in both(hold_or_oscillate))
    np.testing.assert_allclose(hold.mean(axis=0), swing.mean(axis=0), atol=0.12)
    assert np.ptp(swing[:, ABDUCTION]) > 2 * np.ptp(hold[:, ABDUCTION])


def test_either_side_acts():
    pumps = CLASSES.index("pump_2")
    tracks = [perform(np.random.default_rng(seed), pumps, FRAMES) for seed in range(40)]
    left = [np.ptp(track.arms[:, LEFT, ELBOW]) > 1.0 for track in tracks]
    assert 8 < sum(left) < 32
