"""Boxes between, before and after those that were annotated, worked out by hand."""

import pickle

import numpy as np
import pytest

from posemill.schema import TimedBox
from posemill.transforms.person_boxes import PersonBoxes

SIZE_WH = (200, 100)
# A person who walks: a box a second, and none between 2 and 4 s.
WALK = (
    TimedBox(0.0, 0.0, 0.2, 0.2, 0.8),
    TimedBox(1.0, 0.1, 0.2, 0.3, 1.0),
    TimedBox(2.0, 0.3, 0.2, 0.5, 1.0),
    TimedBox(4.0, 0.7, 0.2, 0.9, 1.0),
)


@pytest.mark.parametrize(
    ("seconds", "fractions"),
    [
        (0.0, (0.0, 0.2, 0.2, 0.8)),
        (0.25, (0.025, 0.2, 0.225, 0.85)),  # a quarter of the way
        (1.0, (0.1, 0.2, 0.3, 1.0)),
        (1.5, (0.2, 0.2, 0.4, 1.0)),
        (-0.5, (0.0, 0.2, 0.2, 0.8)),  # held for half a second before
        (2.49, (0.3, 0.2, 0.5, 1.0)),  # and into a gap
        (3.5, (0.7, 0.2, 0.9, 1.0)),
        (4.49, (0.7, 0.2, 0.9, 1.0)),
    ],
)
def test_boxes_move_steadily_and_are_held_at_the_ends(seconds: float, fractions: tuple[float, ...]):
    # The frame's left edge lies half a pixel left of the first centre: f -> 200 f - 1/2.
    expected = np.array(fractions) * [200, 100, 200, 100] - 0.5
    boxes = PersonBoxes.of_clips([WALK]).at(seconds, SIZE_WH)
    assert boxes.dtype == np.float32
    np.testing.assert_allclose(boxes, [expected], atol=1e-5)


@pytest.mark.parametrize("seconds", [-0.51, 2.5, 3.0, 3.49, 4.5, 100.0])
def test_elsewhere_there_is_nobody(seconds: float):
    assert PersonBoxes.of_clips([WALK]).at(seconds, SIZE_WH).shape == (0, 4)


def test_no_clip_with_boxes_gives_nobody():
    assert PersonBoxes.of_clips([(), ()]).at(0.0, SIZE_WH).shape == (0, 4)


def test_identical_and_overlapping_clips_are_one_person():
    people = PersonBoxes.of_clips([WALK, WALK, WALK[:2], WALK[1:3]])
    assert len(people.tracks) == 1
    np.testing.assert_array_equal(people.tracks[0].seconds, [0, 1, 2, 4])


def test_a_clip_that_shares_boxes_with_two_others_joins_them():
    people = PersonBoxes.of_clips([WALK[:1], WALK[2:3], WALK[:3]])
    assert len(people.tracks) == 1
    np.testing.assert_array_equal(people.tracks[0].seconds, [0, 1, 2])


def test_people_of_one_moment_are_told_apart():
    other = TimedBox(0.5, 0.6, 0.0, 1.0, 1.0)
    boxes = PersonBoxes.of_clips([WALK, [other]]).at(0.5, SIZE_WH)
    np.testing.assert_allclose(boxes, [[9.5, 19.5, 49.5, 89.5], [119.5, -0.5, 199.5, 99.5]])


def test_single_boxes_a_second_apart_follow_each_other_without_overlap():
    clips = [[TimedBox(float(second), 0.1, 0.1, 0.2, 0.2)] for second in range(10, 13)]
    people = PersonBoxes.of_clips(clips)
    for seconds in np.linspace(9.5, 12.49, 300):
        assert len(people.at(seconds, SIZE_WH)) == 1, seconds


def test_times_that_were_shifted_still_follow():
    shifted = [TimedBox(second - 902.1, 0.1, 0.1, 0.2, 0.2) for second in range(903, 906)]
    people = PersonBoxes.of_clips([shifted])
    for seconds in np.linspace(0.9, 2.9, 100):
        assert len(people.at(seconds, SIZE_WH)) == 1, seconds


def test_boxes_travel_to_other_processes():
    people = PersonBoxes.of_clips([WALK])
    again = pickle.loads(pickle.dumps(people))  # noqa: S301
    np.testing.assert_array_equal(again.at(1.3, SIZE_WH), people.at(1.3, SIZE_WH))
