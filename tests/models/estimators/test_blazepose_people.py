"""Who is kept, who is new and who is somebody else's ghost."""

import math
from dataclasses import replace

import numpy as np
import pytest

from posemill.models.estimators.blazepose.landmarks import Body
from posemill.models.estimators.blazepose.people import (
    Track,
    are_duplicates,
    is_convincing,
    is_kept,
    is_new,
    is_plausible,
    may_be_back,
    part_inside,
    without_duplicates,
)
from posemill.models.estimators.blazepose.regions import Region
from posemill.models.estimators.blazepose.rules import BlazePoseRules

RULES = BlazePoseRules()


def body(x=50.0, y=50.0, size=40.0, presence=0.9, score=0.8, angle=0.0):
    """Joints along the diagonal of a square of `size` around (x, y)."""
    diagonal = np.linspace(-size / 2, size / 2, 17)
    return Body(
        xy_px=np.stack([x + diagonal, y + diagonal], axis=1).astype(np.float32),
        score=np.full(17, score, np.float32),
        presence=presence,
        region=Region(x, y, 100.0, angle),
    )


@pytest.mark.parametrize(
    ("side", "plausible"), [(19, False), (20, True), (500, True), (501, False), (math.nan, False)]
)
def test_squares_of_people_have_a_least_and_a_greatest_side(side, plausible):
    # Of a frame of 200 x 100: between 20 px and 2.5 times 200 px.
    assert is_plausible(Region(0, 0, side, 0), 200, 100, RULES) is plausible


@pytest.mark.parametrize(
    ("presence", "score", "side_before", "kept"),
    [
        (0.5, 0.3, 100, True),
        (0.49, 0.3, 100, False),
        (0.5, 0.29, 100, False),
        (0.9, 0.9, 62, False),  # grew by more than 1.6
        (0.9, 0.9, 63, True),
        (0.9, 0.9, 166, True),
        (0.9, 0.9, 167, False),  # shrank below .6
    ],
)
def test_who_is_followed_on(presence, score, side_before, kept):
    found = body(presence=presence, score=np.float32(score + 1e-6))
    assert is_kept(found, Region(0, 0, side_before, 0), RULES) is kept


@pytest.mark.parametrize(
    ("newcomer", "convincing"),
    [
        (body(presence=0.7), True),
        (body(presence=0.69), False),
        (body(score=0.2), False),
        (body(presence=0.96, angle=math.radians(61)), False),
        (body(presence=0.97, angle=math.radians(61)), True),
        (body(presence=0.7, angle=math.radians(-59)), True),
        (body(presence=0.7, angle=math.radians(359)), True),  # hardly tilted at all
        (body(x=-1), False),
        (body(x=100), False),
        (body(y=-1), False),
        (body(y=400), True),  # filmed from the waist up
    ],
)
def test_who_is_taken_for_a_person(newcomer, convincing):
    assert is_convincing(newcomer, 100, RULES) is convincing


def test_new_people_keep_their_distance():
    # .35 of a circle of 100 / 1.25 = 80 px: 28 px.
    known = [Region(0, 0, 300, 0), Region(200, 0, 10, 0)]
    assert not is_new(Region(27.9, 0, 100, 0), known, RULES)
    assert is_new(Region(28.1, 0, 100, 0), known, RULES)
    assert not is_new(Region(190, 0, 100, 0), known, RULES)
    assert is_new(Region(0, 0, 100, 0), [], RULES)


def test_the_part_inside_counts_joints_in_the_grown_box():
    outer = body(size=40.0)  # from 30 to 70; with a tenth of 40 from 26 to 74
    inner = body(x=74.0, size=32.0)  # x from 58 to 90 in steps of 2: 9 of 17 up to 74
    assert part_inside(inner, outer, 0.1) == pytest.approx(9 / 17)
    inner.score[8] = 0.0  # that at 74 is missing now
    assert part_inside(inner, outer, 0.1) == pytest.approx(8 / 16)


def test_a_ghost_inside_an_older_body_is_a_duplicate_but_not_the_other_way_round():
    large, small = body(size=400.0), body(x=100.0, y=0.0, size=20.0)
    assert are_duplicates(large, small, RULES)
    assert not are_duplicates(small, large, RULES)


def test_two_alike_are_one_and_two_apart_are_two():
    assert are_duplicates(body(), body(x=51.0), RULES)
    assert not are_duplicates(body(), body(x=100.0), RULES)


def test_of_two_alike_the_older_stays():
    young = Track(slot=3, since=9, body=body())
    old = Track(slot=5, since=2, body=body(x=51.0))
    apart = Track(slot=4, since=7, body=body(x=150.0))
    assert without_duplicates([young, old, apart], RULES) == [old, apart]


def test_of_two_of_one_age_the_first_numbered_stays():
    first = Track(slot=0, since=0, body=body())
    second = replace(first, slot=1)
    assert without_duplicates([second, first], RULES) == [first]


@pytest.mark.parametrize(
    ("found", "back"),
    [
        (Region(50, 0, 100, 0), True),  # half of the larger side away
        (Region(51, 0, 100, 0), False),
        (Region(0, 0, 60, 0), True),
        (Region(0, 0, 59, 0), False),
        (Region(70, 0, 160, 0), True),
        (Region(0, 0, 161, 0), False),
    ],
)
def test_somebody_about_there_and_about_as_large_is_back(found, back):
    assert may_be_back(found, Region(0, 0, 100, 0), RULES) is back
