import numpy as np
import pytest

from posemill.transforms.sampling import pa3d_clips
from posemill.transforms.tempposeconv import (
    differences,
    dilated_index,
    global_index,
    local_index,
    pick_clip,
)


def test_the_three_index_sets_of_eight_frames() -> None:
    assert global_index(8).tolist() == [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert dilated_index(8).tolist() == [[0, 2, 4, 6]]
    # Adjacent 3 with stride 1, as the paper lists them: t1-t3, ..., t6-t8.
    windows = [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7]]
    assert local_index(8).tolist() == windows


def test_a_dilation_that_does_not_divide_keeps_its_phase() -> None:
    assert dilated_index(8, 3).tolist() == [[0, 3, 6]]
    assert dilated_index(1, 5).tolist() == [[0]]


def test_clips_are_picked_from_cube_and_frame_numbers_alike() -> None:
    frames = pa3d_clips(40, 4).reshape(-1)
    cube = np.repeat(frames, 6).reshape(40, 1, 2, 3)
    picked = pick_clip(frames, 9, 4)
    assert picked.tolist() == [36, 37, 38, 39]
    assert np.array_equal(pick_clip(cube, 9, 4)[:, 0, 0, 0], picked)


def test_differences_are_of_consecutive_frames_of_one_clip() -> None:
    cube = np.array([1.0, 4.0, 2.0, 9.0, 9.0, 5.0], np.float32).reshape(6, 1, 1, 1)
    assert differences(cube, 3).ravel().tolist() == [3.0, -2.0, 0.0, -4.0]
    assert differences(cube, 2).ravel().tolist() == [3.0, 7.0, -4.0]


def test_steps_of_a_store_are_refused() -> None:
    with pytest.raises(ValueError, match="cube must be floating values, got uint8; make values"):
        differences(np.zeros((6, 1, 1, 1), np.uint8), 3)


@pytest.mark.parametrize("length", [1, 0, 4])
def test_differences_need_whole_clips_of_two_frames(length: int) -> None:
    with pytest.raises(ValueError, match=f"got 6 frames in clips of {length}"):
        differences(np.zeros((6, 1, 1, 1), np.float32), length)


@pytest.mark.parametrize(
    ("number", "length", "message"),
    [(10, 4, "clips 0 to 9, got 10"), (-1, 4, "got -1"), (0, 3, "40 frames is not made of clips")],
)
def test_a_clip_that_is_not_there_is_refused(number: int, length: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pick_clip(np.arange(40), number, length)


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="a local convolution needs at least 3, got 2"):
        local_index(2)
    with pytest.raises(ValueError, match="a dilation needs at least 1, got 0"):
        dilated_index(8, 0)
