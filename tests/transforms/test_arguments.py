from typing import Any

import numpy as np
import pytest

from posemill.transforms.arguments import (
    checked_limb_mirror,
    checked_mirror,
    counts,
    floating,
    height_width,
    joint_numbers,
    real_array,
    real_number,
    rising_range,
    shown,
    whole_px,
)


def test_integers_of_any_kind_become_pythons() -> None:
    assert counts(first=np.uint8(200), second=np.array(3)) == (200, 3)
    assert whole_px(beta=np.int16(0)) == (0,)
    assert height_width("size", np.array([3, 4], np.uint8)) == (3, 4)
    assert joint_numbers("joints", np.array([2, 0]), 3) == [2, 0]
    kinds = [*counts(n=np.uint8(7)), *height_width("size", [np.int16(3), 4])]
    assert {type(number) for number in kinds} == {int}


def test_the_first_argument_that_is_wrong_is_named() -> None:
    with pytest.raises(ValueError, match=r"^second must be a whole number of at least 1, got 1\.5"):
        counts(first=1, second=1.5, third=0)


@pytest.mark.parametrize("value", [1, 2.5, np.float32(0.5), np.int64(3), np.inf])
def test_numbers_of_any_kind_become_floats(value: Any) -> None:
    number = real_number("sigma", value)
    assert number == value
    assert type(number) is float


def test_arrays_stay_what_they_are() -> None:
    array = np.zeros((2, 3), np.float16)
    assert real_array("maps", array) is array
    assert floating("xy", array) is array
    assert floating("xy", [1, 2]).dtype == np.float32


@pytest.mark.parametrize("limits", [(2.0, 1.0), (0.0, 1.0), (1.0, np.inf), (np.nan, 1.0), "ab"])
def test_ranges_rise_above_0(limits: Any) -> None:
    with pytest.raises(ValueError, match="limits must be"):
        rising_range("limits", limits)


@pytest.mark.parametrize("mirror", [(0, 1), (0, 1, 1), (0, 1, 3), (0, 1, 2.0), None, "012"])
def test_a_mirror_holds_each_joint_once(mirror: Any) -> None:
    with pytest.raises(ValueError, match="mirror must"):
        checked_mirror(mirror, 3)


@pytest.mark.parametrize("mirror", [[(0, 1)], [(0, 1), (1, 1, 1)], [(0, 1), (1, 0)], [0, 1], None])
def test_a_mirror_of_limbs_holds_each_once_with_its_sign(mirror: Any) -> None:
    with pytest.raises(ValueError, match=r"mirror must (be|hold each of 2 limbs)"):
        checked_limb_mirror(mirror, 2)


def test_long_values_are_cut() -> None:
    assert len(shown(list(range(10**4)))) < 100
