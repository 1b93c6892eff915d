from typing import Any

import numpy as np
import pytest

from posemill.transforms.augment import centre_crop, random_crop


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def numbered() -> np.ndarray:
    return np.arange(1, 61, dtype=np.uint8).reshape(1, 6, 10)


def test_random_windows_reach_every_place_of_the_valid_part_and_no_other() -> None:
    corners = {int(random_crop(numbered(), (5, 7), (4, 6), rng(i))[0, 0, 0]) for i in range(60)}
    assert corners == {1, 2, 11, 12}


def test_the_middle_window() -> None:
    window = centre_crop(numbered(), (6, 8), (4, 4))
    assert window[0].tolist() == [[13 + 10 * y + x for x in range(4)] for y in range(4)]


def test_a_window_larger_than_the_valid_part_is_filled_with_zeros() -> None:
    window = random_crop(numbered(), (2, 3), (3, 4), rng())
    assert window[0].tolist() == [[1, 2, 3, 0], [11, 12, 13, 0], [0, 0, 0, 0]]
    assert window.dtype == np.uint8


def test_arguments_are_left_alone() -> None:
    maps = numbered()
    random_crop(maps, (6, 10), (6, 10), rng())[:] = 0
    centre_crop(maps, (6, 10), (6, 10))[:] = 0
    assert np.array_equal(maps, numbered())


def test_what_does_not_lie_on_the_maps_is_refused() -> None:
    with pytest.raises(ValueError, match=r"valid_hw must lie on maps of \(6, 10\) px, got \(7, 10"):
        centre_crop(numbered(), (7, 10), (4, 4))
    with pytest.raises(ValueError, match=r"valid_hw must be .* got \(0, 10"):
        random_crop(numbered(), (0, 10), (4, 4), rng())
    with pytest.raises(
        ValueError, match=r"size_hw must be .*at least 1 x 1 whole px, got \(4, 0\)"
    ):
        centre_crop(numbered(), (6, 10), (4, 0))


def test_stored_sizes_are_taken_as_they_are() -> None:
    valid = np.array([6, 8], np.int16)
    assert np.array_equal(
        centre_crop(numbered(), valid, (4, 4)), centre_crop(numbered(), (6, 8), (4, 4))
    )
    assert np.array_equal(
        centre_crop(numbered().tolist(), valid, [4, 4]), centre_crop(numbered(), (6, 8), (4, 4))
    )


@pytest.mark.parametrize("size", [(6, 8, 1), (6,), 6, None, (-1, 8), (6.0, 8), (np.nan, 8), "68"])
def test_sizes_are_two_whole_numbers(size: Any) -> None:
    expected = r"must be \(height, width\), at least 1 x 1 whole px, got"
    for crop in (centre_crop, lambda *sizes: random_crop(*sizes, rng())):
        with pytest.raises(ValueError, match="valid_hw " + expected):
            crop(numbered(), size, (4, 4))
        with pytest.raises(ValueError, match="size_hw " + expected):
            crop(numbered(), (6, 8), size)
