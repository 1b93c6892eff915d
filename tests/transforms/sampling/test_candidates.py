import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.sampling import (
    bin_candidates,
    parnet_frames,
    pick_candidates,
    uniform_clip,
    vpn_frames,
)

SEED = st.integers(0, 2**32 - 1)
FRAMES, BINS, EACH = st.integers(1, 300), st.integers(1, 40), st.integers(1, 12)
KIND = st.sampled_from(["equal", "floor"])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_candidates_spread_over_their_bin() -> None:
    # Bins of 8 frames: 3 candidates at their sixths 1, 3 and 5; 4 at their eighths 0, 2, 4, 6.
    assert bin_candidates(16, 2, 3).tolist() == [[1, 4, 6], [9, 12, 14]]
    assert bin_candidates(16, 2, 4).tolist() == [[0, 2, 4, 6], [8, 10, 12, 14]]


def test_as_many_candidates_as_frames_are_all_of_them() -> None:
    assert bin_candidates(15, 3, 5).tolist() == np.arange(15).reshape(3, 5).tolist()
    assert bin_candidates(12, 3, 4).tolist() == np.arange(12).reshape(3, 4).tolist()


@given(st.integers(1, 12), st.integers(1, 6), BINS, KIND)
def test_a_bin_that_divides_the_candidates_holds_each_frame_equally_often(
    size: int, times: int, num_bins: int, kind: str
) -> None:
    candidates = bin_candidates(num_bins * size, num_bins, size * times, bins=kind)
    expected = np.repeat(np.arange(num_bins * size), times).reshape(num_bins, -1)
    assert np.array_equal(candidates, expected)


def test_leftover_frames_belong_to_vpns_chunks_and_not_to_parnets_segments() -> None:
    # 11 frames, 4 bins: edges 0, 2, 5, 8, 11, or segments of 2.
    assert bin_candidates(11, 4, 1).reshape(-1).tolist() == [1, 3, 6, 9]
    assert bin_candidates(11, 4, 1, bins="floor").reshape(-1).tolist() == [1, 3, 5, 7]


@given(FRAMES, BINS, EACH)
def test_the_test_pick_is_the_test_frame(num_frames: int, num_bins: int, per_bin: int) -> None:
    pick = pick_candidates(num_bins, per_bin)
    vpn = bin_candidates(num_frames, num_bins, per_bin).reshape(-1)[pick]
    assert np.array_equal(vpn, vpn_frames(num_frames, num_bins))
    parnet = bin_candidates(num_frames, num_bins, per_bin, bins="floor").reshape(-1)[pick]
    assert np.array_equal(parnet, parnet_frames(num_frames, num_bins))


@given(FRAMES, BINS, EACH, SEED)
def test_a_pick_could_have_been_drawn_from_the_video(
    num_frames: int, num_bins: int, per_bin: int, seed: int
) -> None:
    pick = pick_candidates(num_bins, per_bin, rng(seed))
    assert (pick // per_bin).tolist() == list(range(num_bins))
    frames = bin_candidates(num_frames, num_bins, per_bin, bins="floor").reshape(-1)[pick]
    size = max(num_frames // num_bins, 1)
    assert np.array_equal(frames // size, np.minimum(np.arange(num_bins), (num_frames - 1) // size))


def test_picks_are_as_likely_as_the_video_s_own_draws_where_bins_divide() -> None:
    candidates = bin_candidates(12, 4, 6).reshape(-1)  # bins of 3, each frame twice
    cached = np.stack([candidates[pick_candidates(4, 6, rng(seed))] for seed in range(900)])
    drawn = np.stack([uniform_clip(12, 4, rng(seed)) for seed in range(900)])
    for bin_number in range(4):
        for frames in (cached[:, bin_number], drawn[:, bin_number]):
            shares = np.bincount(frames - 3 * bin_number, minlength=3) / 900
            assert shares == pytest.approx([1 / 3] * 3, abs=0.06)


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(ValueError, match="per_bin must be a whole number of at least 1, got 0"):
        bin_candidates(5, 4, 0)
    with pytest.raises(ValueError, match="num_bins must be a whole number of at least 1, got 0"):
        pick_candidates(0, 3)
    with pytest.raises(ValueError, match="bins must be 'equal' or 'floor', got 'any'"):
        bin_candidates(5, 4, 3, bins="any")
