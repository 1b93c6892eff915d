import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.sampling import parnet_frames

SEED = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_middle_of_each_segment_is_taken_at_test() -> None:
    # 53 frames: d = 3, frames 3 i + 1; the last 5 are in no segment.
    assert parnet_frames(53).tolist() == [3 * i + 1 for i in range(16)]
    assert parnet_frames(64).tolist() == [4 * i + 2 for i in range(16)]
    assert parnet_frames(16).tolist() == list(range(16))


@given(st.integers(16, 500), SEED)
def test_one_frame_of_each_segment_is_taken_to_train(num_frames: int, seed: int) -> None:
    frames = parnet_frames(num_frames, rng=rng(seed))
    assert (frames // (num_frames // 16)).tolist() == list(range(16))


def test_every_frame_of_a_segment_is_drawn() -> None:
    drawn = np.stack([parnet_frames(9, 2, rng(seed)) for seed in range(100)])
    assert [sorted(set(column)) for column in drawn.T] == [[0, 1, 2, 3], [4, 5, 6, 7]]


@given(st.integers(1, 15), SEED)
def test_short_videos_are_taken_whole_and_repeat_the_last(num_frames: int, seed: int) -> None:
    expected = [*range(num_frames), *[num_frames - 1] * (16 - num_frames)]
    assert parnet_frames(num_frames).tolist() == expected
    assert parnet_frames(num_frames, rng=rng(seed)).tolist() == expected


def test_nothing_to_sample_from_is_refused() -> None:
    with pytest.raises(ValueError, match="num_frames must be a whole number of at least 1, got 0"):
        parnet_frames(0)
    with pytest.raises(ValueError, match="length must be a whole number of at least 1, got 0"):
        parnet_frames(9, 0)
