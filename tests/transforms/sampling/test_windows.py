import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.sampling import strided_test_windows, strided_window

SEED = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_window_reaches_every_place_that_it_fits() -> None:
    # 4 frames at distances of 3 span 10; in 12 frames they start at 0, 1 or 2.
    drawn = {tuple(int(f) for f in strided_window(12, 4, 3, rng(seed))) for seed in range(60)}
    assert drawn == {(start, start + 3, start + 6, start + 9) for start in range(3)}


def test_without_a_generator_it_lies_in_the_middle() -> None:
    assert strided_window(12, 4, 3).tolist() == [1, 4, 7, 10]
    assert strided_window(10, 4, 3).tolist() == [0, 3, 6, 9]
    assert strided_window(7, 1, 5).tolist() == [3]


def test_short_videos_go_around_from_the_first_frame() -> None:
    assert strided_window(9, 4, 3, rng()).tolist() == [0, 3, 6, 0]
    assert strided_window(2, 5, 1, rng(3)).tolist() == [0, 1, 0, 1, 0]
    assert strided_test_windows(9, 4, 3, 2).tolist() == [[0, 3, 6, 0]] * 2


def test_test_windows_spread_evenly() -> None:
    # Two frames span 5; in 10 they start at 0, at 2.5 rounded up, and at 5.
    assert strided_test_windows(10, 2, 4, 3).tolist() == [[0, 4], [3, 7], [5, 9]]


def test_one_test_window_is_the_middle_one() -> None:
    assert strided_test_windows(12, 4, 3, 1).tolist() == [[1, 4, 7, 10]]


@given(st.integers(1, 200), st.integers(1, 40), st.integers(1, 8), SEED)
def test_frames_exist_at_equal_distances(
    num_frames: int, length: int, stride: int, seed: int
) -> None:
    window = strided_window(num_frames, length, stride, rng(seed))
    assert np.array_equal(window, (window[0] + stride * np.arange(length)) % num_frames)
    if num_frames > (length - 1) * stride:
        assert (np.diff(window) == stride).all()
    else:
        assert window[0] == 0


@given(st.integers(1, 200), st.integers(1, 20), st.integers(1, 8), st.integers(2, 12))
def test_test_windows_reach_from_the_first_frame_to_the_last(
    num_frames: int, length: int, stride: int, num_windows: int
) -> None:
    windows = strided_test_windows(num_frames, length, stride, num_windows)
    assert windows.shape == (num_windows, length)
    assert windows[0, 0] == 0
    assert windows.max() < num_frames
    if num_frames > (length - 1) * stride:
        assert windows[-1, -1] == num_frames - 1
        steps = np.diff(windows[:, 0])
        assert steps.max() - steps.min() <= 1


def test_nothing_to_sample_from_is_refused() -> None:
    with pytest.raises(ValueError, match="num_frames must be a whole number of at least 1, got 0"):
        strided_window(0, 4, 1)
    with pytest.raises(ValueError, match="stride must be a whole number of at least 1, got 0"):
        strided_window(5, 4, 0)
    with pytest.raises(ValueError, match="num_windows must be a whole number of at least 1, got 0"):
        strided_test_windows(5, 4, 1, 0)
