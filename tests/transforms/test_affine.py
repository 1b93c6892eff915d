import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.affine import after, inverse, move, scale, turn

PLACE = st.floats(-100, 100)
POINT = st.tuples(PLACE, PLACE)
ANGLE = st.floats(-360, 360)


def test_a_quarter_turn_takes_right_to_down() -> None:
    # y points down: from right of the centre to below it, clockwise to the eye.
    moved = move(turn((10.0, 20.0), 90.0), np.array([[13.0, 20.0], [10.0, 20.0], [10.0, 22.0]]))
    assert moved == pytest.approx(np.array([[10.0, 23.0], [10.0, 20.0], [8.0, 20.0]]))


def test_scaling_keeps_the_centre() -> None:
    moved = move(scale((10.0, 20.0), 0.5), np.array([[14.0, 18.0], [10.0, 20.0]]))
    assert moved.tolist() == [[12.0, 19.0], [10.0, 20.0]]


@given(POINT, ANGLE, POINT)
def test_turns_keep_distances(centre: tuple[float, float], angle: float, point: tuple) -> None:
    moved = move(turn(centre, angle), np.array(point))
    before, now = math.dist(point, centre), math.dist(moved, centre)
    assert now == pytest.approx(before, abs=1e-9)


@given(POINT, ANGLE, POINT, st.floats(0.1, 10), POINT)
def test_one_after_the_other_and_back(
    centre: tuple[float, float], angle: float, other: tuple, factor: float, point: tuple
) -> None:
    first, second = turn(centre, angle), scale(other, factor)
    points = np.array([point, centre])
    both = after(second, first)
    assert move(both, points) == pytest.approx(move(second, move(first, points)), abs=1e-6)
    assert move(inverse(both), move(both, points)) == pytest.approx(points, abs=1e-6)


def test_what_is_nan_stays_nan_and_alone() -> None:
    points = np.array([[np.nan, np.nan], [1.0, 2.0]])
    moved = move(turn((0.0, 0.0), 30.0), points)
    assert np.isnan(moved).tolist() == [[True, True], [False, False]]
