import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.sampling import vpn_frames, vpn_test_windows, vpn_window

SEED = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_poses_are_the_middle_of_each_chunk_at_test() -> None:
    # 10 frames in 4 chunks: [0, 1], [2, 3, 4], [5, 6], [7, 8, 9].
    assert vpn_frames(10, 4).tolist() == [1, 3, 6, 8]


def test_every_pose_of_a_chunk_is_drawn() -> None:
    drawn = np.stack([vpn_frames(10, 4, rng(seed)) for seed in range(100)])
    assert [sorted(set(column)) for column in drawn.T] == [[0, 1], [2, 3, 4], [5, 6], [7, 8, 9]]


def test_a_short_video_repeats_poses_evenly() -> None:
    # Chunk i of 6 begins at i * 4 // 6.
    assert vpn_frames(4, 6).tolist() == [0, 0, 1, 2, 2, 3]
    assert vpn_frames(1, 5, rng()).tolist() == [0, 0, 0, 0, 0]


@given(st.integers(1, 300), st.integers(1, 40), SEED)
def test_poses_exist_and_never_go_back(num_frames: int, num_chunks: int, seed: int) -> None:
    for frames in (
        vpn_frames(num_frames, num_chunks),
        vpn_frames(num_frames, num_chunks, rng(seed)),
    ):
        assert frames.shape == (num_chunks,)
        assert frames.min() >= 0
        assert frames.max() < num_frames
        assert (np.diff(frames) >= 0).all()


def test_windows_of_a_long_video_take_every_other_frame() -> None:
    # More than 2 * 4 frames: stride 2, starts 0 .. 11 - 8.
    drawn = {tuple(int(f) for f in vpn_window(11, 4, rng(seed))) for seed in range(100)}
    assert drawn == {(start, start + 2, start + 4, start + 6) for start in range(4)}


@pytest.mark.parametrize("num_frames", [64, 100, 128])
def test_windows_of_a_middling_video_are_consecutive(num_frames: int) -> None:
    starts = {int(vpn_window(num_frames, rng=rng(seed))[0]) for seed in range(200)}
    assert min(starts) == 0
    assert max(starts) <= num_frames - 64
    assert (np.diff(vpn_window(num_frames, rng=rng())) == 1).all()


def test_windows_of_129_frames_take_every_other() -> None:
    assert (np.diff(vpn_window(129, rng=rng())) == 2).all()


def test_short_videos_repeat_frames_in_order() -> None:
    # 8 from around and around 0 1 2 0 1 2 0 1, sorted.
    assert vpn_window(3, 8, rng()).tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert vpn_test_windows(3, 8, 2).tolist() == [[0, 0, 0, 1, 1, 1, 2, 2]] * 2


def test_without_a_generator_the_window_lies_in_the_middle() -> None:
    assert vpn_window(11, 4).tolist() == [1, 3, 5, 7]  # room 3
    assert vpn_window(8, 4).tolist() == [2, 3, 4, 5]


def test_ten_windows_spread_evenly() -> None:
    windows = vpn_test_windows(200)  # stride 2, room 200 - 128 = 72 in 9 steps of 8
    assert windows.shape == (10, 64)
    assert windows[:, 0].tolist() == list(range(0, 73, 8))
    assert windows[9].tolist() == list(range(72, 200, 2))
    assert vpn_test_windows(64).tolist() == [list(range(64))] * 10


@given(st.integers(1, 400), st.integers(1, 80), SEED)
def test_windows_exist_and_never_go_back(num_frames: int, length: int, seed: int) -> None:
    windows = [*vpn_test_windows(num_frames, length), vpn_window(num_frames, length, rng(seed))]
    assert np.shape(windows) == (11, length)
    assert np.min(windows) >= 0
    assert np.max(windows) < num_frames
    assert (np.diff(windows, axis=1) >= 0).all()


def test_nothing_to_sample_from_is_refused() -> None:
    with pytest.raises(ValueError, match="num_chunks must be a whole number of at least 1, got 0"):
        vpn_frames(5, 0)
    with pytest.raises(ValueError, match="num_frames must be a whole number of at least 1, got 0"):
        vpn_window(0)
    with pytest.raises(ValueError, match="num_windows must be a whole number of at least 1, got 0"):
        vpn_test_windows(5, 4, 0)
