import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.sampling import pa3d_clips, pa3d_random_clip


def test_windows_start_evenly_from_first_to_last() -> None:
    clips = pa3d_clips(26, 8)  # room for starts 0 .. 18, in 9 steps of 2
    assert clips[:, 0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert clips[4].tolist() == [8, 9, 10, 11, 12, 13, 14, 15]


def test_windows_of_a_short_video_repeat_its_last_frame() -> None:
    assert pa3d_clips(3, 5).tolist() == [[0, 1, 2, 2, 2]] * 10


def test_windows_overlap_where_frames_are_few() -> None:
    # Room 4: starts round(4 i / 9), halves up.
    assert pa3d_clips(8, 4)[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_span_of_the_video_interleaves_the_clips() -> None:
    clips = pa3d_clips(40, 2, "video")  # the grid of 20 takes every other frame
    assert clips[:, 0].tolist() == list(range(0, 20, 2))
    assert clips[:, 1].tolist() == list(range(20, 40, 2))


@given(st.integers(1, 400), st.integers(1, 20), st.sampled_from(["windows", "video"]))
def test_pa3d_frames_exist_and_never_go_back(num_frames: int, length: int, span: str) -> None:
    clips = pa3d_clips(num_frames, length, span)
    assert clips.shape == (10, length)
    assert clips.min() >= 0
    assert clips.max() < num_frames
    assert (np.diff(clips, axis=1) >= 0).all()


def test_a_random_window_starts_anywhere() -> None:
    rng = np.random.default_rng(0)
    clips = np.stack([pa3d_random_clip(12, 8, rng) for _ in range(100)])
    assert (np.diff(clips, axis=1) == 1).all()
    assert set(clips[:, 0]) == {0, 1, 2, 3, 4}  # of 12 frames, the last window of 8 starts at 4
    assert pa3d_random_clip(3, 5, rng).tolist() == [0, 1, 2, 2, 2]


def test_a_random_clip_that_spans_the_video_is_one_of_the_ten() -> None:
    rng = np.random.default_rng(0)
    drawn = {tuple(pa3d_random_clip(40, 2, rng, "video")) for _ in range(200)}
    assert drawn == {tuple(clip) for clip in pa3d_clips(40, 2, "video")}


def test_nothing_to_sample_from_is_refused() -> None:
    with pytest.raises(ValueError, match="num_frames must be a whole number of at least 1, got 0"):
        pa3d_clips(0, 5)
    with pytest.raises(ValueError, match="length must be a whole number of at least 1, got 0"):
        pa3d_clips(5, 0)
    with pytest.raises(ValueError, match="span must be 'windows' or 'video', got 'all'"):
        pa3d_clips(5, 4, "all")
    with pytest.raises(ValueError, match="span must be 'windows' or 'video', got 'all'"):
        pa3d_random_clip(5, 4, np.random.default_rng(0), "all")
