import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.sampling import pa3d_clips, uniform_clip, uniform_test_clips

SEED = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(8, 60), SEED)
def test_long_videos_give_one_frame_of_each_bin(num_frames: int, seed: int) -> None:
    frames = uniform_clip(num_frames, 4, rng(seed))
    for i, frame in enumerate(frames):
        assert i * num_frames // 4 <= frame < (i + 1) * num_frames // 4


def test_every_frame_of_a_bin_is_drawn() -> None:
    # 10 frames in 4 bins: [0, 1], [2, 3, 4], [5, 6], [7, 8, 9].
    drawn = np.stack([uniform_clip(10, 4, rng(seed)) for seed in range(100)])
    assert [sorted(set(column)) for column in drawn.T] == [[0, 1], [2, 3, 4], [5, 6], [7, 8, 9]]


@given(st.integers(6, 11), SEED)
def test_middling_videos_leave_single_frames_out(num_frames: int, seed: int) -> None:
    frames = uniform_clip(num_frames, 6, rng(seed))
    assert set(np.diff(frames)) <= {1, 2}
    assert 0 <= frames[0] <= 1
    assert frames[-1] < num_frames


def test_a_video_of_just_the_length_is_taken_whole() -> None:
    assert uniform_clip(6, 6, rng()).tolist() == [0, 1, 2, 3, 4, 5]


@given(st.integers(1, 5), SEED)
def test_short_videos_go_around(num_frames: int, seed: int) -> None:
    frames = uniform_clip(num_frames, 6, rng(seed))
    assert np.array_equal(frames, (frames[0] + np.arange(6)) % num_frames)


def test_test_clips_of_a_very_short_video_start_at_0_1_2() -> None:
    # 3 frames, 4 clips: starts 0, 1, 2, 3 = 0 again.
    clips = uniform_test_clips(3, 5, 4, rng())
    assert clips.tolist() == [
        [0, 1, 2, 0, 1],
        [1, 2, 0, 1, 2],
        [2, 0, 1, 2, 0],
        [0, 1, 2, 0, 1],
    ]


def test_test_clips_of_a_short_video_start_evenly() -> None:
    # 25 frames, 10 clips of 48: starts i * 25 // 10.
    clips = uniform_test_clips(25, 48, 10, rng())
    assert clips[:, 0].tolist() == [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]
    assert clips[3, 17:20].tolist() == [24, 0, 1]


@pytest.mark.parametrize("num_frames", [5, 70, 300])
def test_a_fixed_seed_fixes_the_test_clips(num_frames: int) -> None:
    first, second = (uniform_test_clips(num_frames, 48, 10, rng(255)) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.shape == (10, 48)


def test_test_clips_of_a_long_video_differ() -> None:
    clips = uniform_test_clips(300, 48, 10, rng())
    assert len({tuple(clip) for clip in clips}) == 10


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


def test_nothing_to_sample_from_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0 frames and length 4"):
        uniform_clip(0, 4, rng())
    with pytest.raises(ValueError, match="got 5 frames and length 0"):
        pa3d_clips(5, 0)
    with pytest.raises(ValueError, match="num_clips must be at least 1, got 0"):
        uniform_test_clips(5, 4, 0, rng())
    with pytest.raises(ValueError, match="span must be 'windows' or 'video', got 'all'"):
        pa3d_clips(5, 4, "all")
