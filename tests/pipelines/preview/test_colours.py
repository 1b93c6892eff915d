"""Which colour a value, a change and a direction have; and that the keys show the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.pipelines.drawing import LEFT, MIDDLE, PAPER, RIGHT
from posemill.pipelines.preview.colours import (
    APPEARS,
    GOES,
    UNCHANGED,
    change,
    direction,
    field,
    joint_colours,
    limb_colours,
    shade,
)
from posemill.pipelines.preview.keys import change_key, direction_key, time_key, wheel
from posemill.transforms.skeletons import COCO_17, NTU_25

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def one_pixel(*values: float) -> np.ndarray:
    """Maps (K, 1, 1)."""
    return np.array(values, np.float32)[:, None, None]


@pytest.mark.parametrize(
    ("vector", "colour"),
    [
        ((1, 0), (255, 0, 0)),  # right
        ((0, 1), (128, 255, 0)),  # down: a quarter of the way round, between yellow and green
        ((-1, 0), (0, 255, 255)),  # left
        ((0, -1), (128, 0, 255)),  # up
        ((0.5, 0), (128, 0, 0)),  # half as long
        ((7, 0), (255, 0, 0)),  # no brighter than bright
        ((0, 0), (0, 0, 0)),
    ],
)
def test_direction_is_hue_and_length_brightness(
    vector: tuple[float, float], colour: tuple[int, int, int]
) -> None:
    assert tuple(direction(np.array(vector, np.float32))) == colour


@given(st.floats(-np.pi, np.pi), st.floats(0, 1))
@settings(max_examples=50)
def test_opposite_vectors_have_complementary_colours(angle: float, length: float) -> None:
    vector = np.array([np.cos(angle), np.sin(angle)], np.float32) * np.float32(length)
    both = direction(vector).astype(float) + direction(-vector)
    np.testing.assert_allclose(both, 255 * length, atol=1.01)


def test_a_field_shows_the_longest_vector_of_a_pixel() -> None:
    vectors = np.zeros((2, 2, 1, 2), np.float32)
    vectors[0, 0, 0, 0] = 1.0  # right, in the first pixel
    vectors[1, 1, 0] = -0.5  # up, in both
    picture = field(vectors)
    assert tuple(picture[0, 0]) == RED
    assert tuple(picture[0, 1]) == (64, 0, 128)  # up at half brightness


def test_the_wheel_has_every_vectors_colour_where_it_points_to() -> None:
    disc = wheel(41)
    assert tuple(disc[20, 40]) == tuple(direction(np.array([1, 0], np.float32)))
    assert tuple(disc[40, 20]) == tuple(direction(np.array([0, 1], np.float32)))
    assert tuple(disc[20, 10]) == tuple(direction(np.array([-0.5, 0], np.float32)))
    assert tuple(disc[20, 20]) == (0, 0, 0)
    assert tuple(disc[0, 0]) == PAPER
    key = direction_key(1.0, "where it points", 300)
    assert tuple(key[28, 8 + 56]) == RED
    assert (key[:, 80:] != PAPER).any()  # the text


def test_the_brightest_joint_of_a_pixel_shows_in_its_colour() -> None:
    colours = np.array([(200, 100, 0), (0, 0, 250)], np.float32)
    assert tuple(shade(one_pixel(0.5, 0.2), colours)[0, 0]) == (100, 50, 0)
    assert tuple(shade(one_pixel(0.1, 0.2), colours)[0, 0]) == (0, 0, 50)
    assert tuple(shade(one_pixel(0.1, 3.0), colours)[0, 0]) == (0, 0, 250)
    assert tuple(shade(one_pixel(0.0, 0.0), colours)[0, 0]) == (0, 0, 0)


def test_what_appears_and_what_goes_differ_in_colour() -> None:
    assert tuple(change(one_pixel(0.0, 1.0))[0, 0]) == APPEARS
    assert tuple(change(one_pixel(0.5, -1.0))[0, 0]) == GOES  # the greater change
    assert tuple(change(one_pixel(0.0, 0.0))[0, 0]) == UNCHANGED
    half = (np.array(UNCHANGED) + APPEARS) / 2
    np.testing.assert_allclose(change(one_pixel(0.5))[0, 0], half, atol=0.51)


def test_the_key_of_changes_goes_from_what_goes_to_what_appears() -> None:
    bar = change_key(0.25, 401)[10]
    left, right = 401 // 4, 401 - 401 // 4
    assert tuple(bar[left]) == GOES
    assert tuple(bar[200]) == UNCHANGED
    assert tuple(bar[right - 1]) == APPEARS


def test_the_key_of_time_goes_from_red_over_green_to_blue() -> None:
    bar = time_key(3, 401)[10]
    left, right = 401 // 4, 401 - 401 // 4
    assert [tuple(bar[x]) for x in (left, 200, right - 1)] == [RED, GREEN, BLUE]


def test_sides_have_their_colours_and_unknown_skeletons_are_white() -> None:
    nose, left_eye, right_eye = joint_colours(COCO_17, 17)[:3]
    assert (tuple(nose), tuple(left_eye), tuple(right_eye)) == (MIDDLE, LEFT, RIGHT)
    assert limb_colours(NTU_25, len(NTU_25.limbs)).shape == (len(NTU_25.limbs), 3)
    for colours in (joint_colours(None, 5), joint_colours(COCO_17, 5), limb_colours(COCO_17, 5)):
        assert colours.shape == (5, 3)
        assert (colours == 255).all()
