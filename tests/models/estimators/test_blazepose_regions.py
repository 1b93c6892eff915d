"""Squares around people, and the way from their pixels to the frame's and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.models.estimators.blazepose.regions import (
    Region,
    crop,
    crop_to_image,
    region_around,
    to_image,
)

coordinates = st.floats(-500, 500, allow_nan=False)


def test_somebody_upright_gives_an_upright_square():
    region = region_around(np.array([100.0, 200.0]), np.array([100.0, 120.0]), 1.25)
    # The circle's radius is 80: the square's side 2 * 80 * 1.25.
    assert (region.x_px, region.y_px, region.side_px) == (100.0, 200.0, 200.0)
    assert region.angle == pytest.approx(0.0)
    assert region.tilt_degrees == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("rim", "degrees", "tilt"),
    [((10, 0), 90, 90), ((0, 10), 180, 180), ((-10, 0), -90, 90), ((10, -10), 45, 45)],
)
def test_the_square_turns_with_the_head(rim, degrees, tilt):
    region = region_around(np.zeros(2), np.array(rim, float), 1.0)
    assert math.remainder(region.angle - math.radians(degrees), 2 * math.pi) == pytest.approx(0)
    assert region.tilt_degrees == pytest.approx(tilt)


def test_a_square_as_large_as_the_crop_and_upright_changes_nothing_but_the_origin():
    affine = crop_to_image(Region(127.5, 127.5, 256, 0.0), 256)
    np.testing.assert_allclose(affine, [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_half_the_side_gives_half_the_step():
    # The first crop pixel, a quarter of a pixel wide either side, has its centre
    # a quarter before the frame's first pixel centre.
    affine = crop_to_image(Region(127.5, 127.5, 128, 0.0), 256)
    np.testing.assert_allclose(affine, [[0.5, 0, 63.75], [0, 0.5, 63.75]], atol=1e-12)


def test_up_in_the_crop_is_right_in_the_frame_for_a_head_on_the_right():
    region = Region(50.0, 60.0, 100.0, math.pi / 2)
    above_the_middle = np.array([[49.5, 39.5]], np.float32)
    np.testing.assert_allclose(to_image(above_the_middle, region, 100), [[60.0, 60.0]], atol=1e-4)


@given(coordinates, coordinates, coordinates, coordinates, st.floats(0.5, 3.0))
def test_hips_and_rim_lie_in_the_crop_where_the_network_wants_them(x, y, dx, dy, scale):
    if math.hypot(dx, dy) < 1.0:
        return
    middle, rim = np.array([x, y]), np.array([x + dx, y + dy])
    region = region_around(middle, rim, scale)
    # In a crop of 256: hips in the middle, rim straight above at 1 / scale of the way up.
    wanted = np.array([[127.5, 127.5], [127.5, 127.5 - 128 / scale]], np.float32)
    np.testing.assert_allclose(to_image(wanted, region, 256), [middle, rim], atol=1e-2)


@given(
    st.builds(Region, coordinates, coordinates, st.floats(20, 900), st.floats(-7, 7)),
    st.lists(st.tuples(st.floats(0, 255), st.floats(0, 255)), min_size=1, max_size=5),
)
def test_from_crop_to_frame_and_back(region, points):
    affine = crop_to_image(region, 256)
    there = to_image(np.array(points, np.float32), region, 256)
    back = (there - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
    np.testing.assert_allclose(back, points, atol=0.05)


def test_a_crop_shows_the_pixels_of_its_square_and_black_beside_the_frame():
    frame = np.random.default_rng(0).integers(1, 256, (40, 40, 3), np.uint8)
    shown = crop(frame, Region(3.5, 7.5, 16, 0.0), 16)
    np.testing.assert_array_equal(shown[:, 4:], frame[0:16, 0:12])
    np.testing.assert_array_equal(shown[:, :4], 0)


def test_a_crop_of_somebody_lying_stands_upright():
    frame = np.zeros((20, 20, 3), np.uint8)
    frame[8:12, 15] = 255  # the head, on the right
    shown = crop(frame, Region(9.5, 9.5, 20, math.pi / 2), 20)
    np.testing.assert_array_equal(np.argwhere(shown[..., 0] > 127)[:, 0], [4, 4, 4, 4])


def test_regions_know_what_is_no_number():
    assert Region(0, 0, 1, 0).is_finite()
    assert not Region(0, math.nan, 1, 0).is_finite()
    assert not Region(0, 0, math.inf, 0).is_finite()


def test_distance_is_between_centres():
    assert Region(0, 0, 9, 1).distance_px(Region(3, 4, 1, 0)) == 5.0


def test_turns_are_measured_the_short_way_round():
    ahead = Region(0, 0, 1, math.radians(170))
    assert ahead.turn_degrees(Region(9, 9, 9, math.radians(-170))) == pytest.approx(20)
    assert ahead.turn_degrees(Region(0, 0, 1, math.radians(-10))) == pytest.approx(180)
