"""Tracks: numbers that stay with people through frames, gaps and changes of order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.tracking import MAX_FRAMES_LOST, Tracker


def standing(*xs):
    """One person, 40 px wide and 160 px high, at each x: (N, 17, 2) and (N, 17)."""
    shape = np.stack([np.tile([-20.0, 20.0], 9)[:17], np.linspace(0, 160, 17)], axis=1)
    xy = np.array([shape + np.array([x, 0]) for x in xs], np.float32).reshape(-1, 17, 2)
    return xy, np.full((len(xs), 17), 0.9, np.float32)


def slots(tracker, *xs):
    return tracker.update(*standing(*xs)).tolist()


def test_people_are_numbered_as_they_come():
    assert slots(Tracker(), 0, 500, 1000) == [0, 1, 2]


def test_numbers_follow_people_not_their_order():
    tracker = Tracker()
    slots(tracker, 0, 500)
    assert slots(tracker, 503, 4) == [1, 0]


def test_somebody_walking_stays_one_person():
    tracker = Tracker()
    assert [slots(tracker, 8 * step) for step in range(50)] == [[0]] * 50


def test_the_nearer_of_two_gets_the_number():
    tracker = Tracker()
    slots(tracker, 0)
    assert slots(tracker, 12, 2) == [1, 0]


def test_somebody_new_gets_a_new_number_also_when_another_left():
    tracker = Tracker()
    slots(tracker, 0, 500)
    assert slots(tracker, 500, 1000) == [1, 2]


def test_no_people_are_no_tracks():
    tracker = Tracker()
    found = tracker.update(*standing())
    assert found.shape == (0,)
    assert found.dtype == np.int64


def test_a_short_gap_is_bridged_and_a_long_one_not():
    tracker = Tracker()
    slots(tracker, 0)
    for _ in range(MAX_FRAMES_LOST):
        slots(tracker)
    assert slots(tracker, 0) == [0]
    for _ in range(MAX_FRAMES_LOST + 1):
        slots(tracker)
    assert slots(tracker, 0) == [1]


def test_a_body_without_joints_is_no_ones_continuation():
    tracker = Tracker()
    xy, score = standing(0)
    tracker.update(xy, score * 0)
    assert tracker.update(xy, score).tolist() == [1]


@given(st.lists(st.lists(st.integers(0, 400), max_size=6), max_size=20))
def test_two_people_of_a_frame_never_share_a_number(frames):
    tracker = Tracker()
    for xs in frames:
        found = slots(tracker, *xs)
        assert len(set(found)) == len(xs)
        assert min(found, default=0) >= 0
