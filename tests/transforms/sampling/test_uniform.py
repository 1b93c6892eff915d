import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.sampling import uniform_clip, uniform_test_clips

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


def test_a_video_of_just_twice_the_length_is_cut_into_bins() -> None:
    drawn = np.stack([uniform_clip(8, 4, rng(seed)) for seed in range(60)])
    assert {tuple(frame // 2) for frame in drawn} == {(0, 1, 2, 3)}
    # Of 7 frames 4 are taken by leaving out: the pairs of bins do not hold.
    left_out = np.stack([uniform_clip(7, 4, rng(seed)) for seed in range(60)])
    assert len({tuple(frame // 2) for frame in left_out}) > 1


@given(st.integers(1, 5), SEED)
def test_short_videos_go_around(num_frames: int, seed: int) -> None:
    frames = uniform_clip(num_frames, 6, rng(seed))
    assert np.array_equal(frames, (frames[0] + np.arange(6)) % num_frames)


def test_short_videos_start_anywhere() -> None:
    assert {int(uniform_clip(5, 6, rng(seed))[0]) for seed in range(60)} == set(range(5))


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


def test_test_clips_of_a_video_with_as_many_frames_as_clips() -> None:
    # n < 10 starts at i, else at i * n // 10: at 10 frames both are i.
    assert uniform_test_clips(10, 48, 10, rng())[:, 0].tolist() == list(range(10))
    assert uniform_test_clips(9, 48, 10, rng())[:, 0].tolist() == [*range(9), 0]


@pytest.mark.parametrize("num_frames", [5, 70, 300])
def test_a_fixed_seed_fixes_the_test_clips(num_frames: int) -> None:
    first, second = (uniform_test_clips(num_frames, 48, 10, rng(255)) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.shape == (10, 48)


@pytest.mark.parametrize("num_frames", [70, 300])
def test_test_clips_are_training_clips_drawn_in_turn(num_frames: int) -> None:
    drawn = rng(255)
    in_turn = [uniform_clip(num_frames, 48, drawn) for _ in range(10)]
    assert np.array_equal(uniform_test_clips(num_frames, 48, 10, rng(255)), in_turn)
    assert len({tuple(clip) for clip in in_turn}) == 10


def test_nothing_to_sample_from_is_refused() -> None:
    with pytest.raises(ValueError, match="num_frames must be a whole number of at least 1, got 0"):
        uniform_clip(0, 4, rng())
    with pytest.raises(ValueError, match="length must be a whole number of at least 1, got -1"):
        uniform_test_clips(5, -1, 10, rng())
    with pytest.raises(ValueError, match="num_clips must be a whole number of at least 1, got 0"):
        uniform_test_clips(5, 4, 0, rng())
