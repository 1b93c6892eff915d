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
    with pytest.raises(ValueError, match=r"valid_hw must lie on maps of \(6, 10\) px, got \(0, 10"):
        random_crop(numbered(), (0, 10), (4, 4), rng())
    with pytest.raises(ValueError, match=r"size_hw must be at least 1 x 1 px, got \(4, 0\)"):
        centre_crop(numbered(), (6, 10), (4, 0))
