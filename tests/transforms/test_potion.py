from typing import Any

import numpy as np
import pytest
from dense_maps import dense_joints, golden, published_ring, random_people
from drawn import joints
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.potion import (
    colour_potion,
    derive_potion,
    encode_maps,
    jmrn_p,
    potion_i,
    potion_n,
    potion_s,
    potion_u,
    recover_s,
    stack_roles,
    time_encoding,
)
from posemill.transforms.rasterize import draw_joints

SIZE = (12, 15)
SEED = st.integers(0, 10_000)
CHANNELS = st.integers(2, 6)


def s_of(people: tuple[np.ndarray, ...], channels: int = 3, combine: str = "max") -> np.ndarray:
    return potion_s(*people, num_channels=channels, sigma=0.6, size_hw=SIZE, combine=combine)


def people_of(seed: int, num_frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return random_people(seed, num_frames, 2, 3, SIZE)


def standing(num_frames: int, present: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One joint of full confidence that stays on pixel (6, 4), in the first `present` frames."""
    xy = np.tile(np.array([6.0, 4.0], np.float32), (present, 1, 1))
    ptr = np.minimum(np.arange(num_frames + 1), present)
    return xy, np.ones((present, 1), np.float32), ptr


def test_the_encoding_of_five_frames_in_three_channels() -> None:
    assert time_encoding(5, 3).tolist() == [
        [1.0, 0.0, 0.0],
        [0.5, 0.5, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.5, 0.5],
        [0.0, 0.0, 1.0],
    ]


def test_the_encoding_in_two_channels_is_a_ramp() -> None:
    t = np.arange(7) / 6
    assert time_encoding(7, 2) == pytest.approx(np.stack([1 - t, t], axis=1))


def test_the_encoding_of_four_frames_in_three_channels() -> None:
    # v = t 2/3: 0, 2/3, 4/3, 2.
    expected = [[1, 0, 0], [1 / 3, 2 / 3, 0], [0, 2 / 3, 1 / 3], [0, 0, 1]]
    assert time_encoding(4, 3) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_few_frames(channels: int) -> None:
    first, last = np.eye(channels)[[0, -1]]
    assert time_encoding(0, channels).shape == (0, channels)
    assert time_encoding(1, channels).tolist() == [first.tolist()]
    assert time_encoding(2, channels).tolist() == [first.tolist(), last.tolist()]


@given(st.integers(1, 300), CHANNELS)
def test_every_frame_has_a_share_of_one_in_two_neighbours(num_frames: int, channels: int) -> None:
    encoding = time_encoding(num_frames, channels)
    assert encoding.sum(axis=1) == pytest.approx(np.ones(num_frames), abs=1e-6)
    assert encoding.min() >= 0.0
    for row in encoding:
        used = np.flatnonzero(row)
        assert np.ptp(used) <= 1


@given(st.integers(2, 300), CHANNELS)
def test_the_encoding_reversed_in_time_reverses_its_channels(num_frames: int, c: int) -> None:
    encoding = time_encoding(num_frames, c)
    assert encoding[::-1, ::-1] == pytest.approx(encoding, abs=1e-6)


@settings(max_examples=25)
@given(SEED, CHANNELS, st.integers(1, 6), st.sampled_from(["max", "sum"]))
def test_s_equals_the_plain_formula(seed: int, channels: int, frames: int, combine: str) -> None:
    people = people_of(seed, frames)
    volume = dense_joints(*people, 0.6, SIZE, combine)
    expected = np.einsum("ktyx,tc->kcyx", volume, time_encoding(frames, channels))
    s = s_of(people, channels, combine)
    assert s == pytest.approx(expected, abs=1e-5)
    assert s.sum(axis=1) == pytest.approx(volume.sum(axis=1), abs=1e-5)


@settings(max_examples=25)
@given(SEED, CHANNELS, st.integers(2, 6))
def test_time_reversed_swaps_channels_and_keeps_i(seed: int, channels: int, frames: int) -> None:
    xy, score, ptr = people_of(seed, frames)
    order = [row for t in reversed(range(frames)) for row in range(ptr[t], ptr[t + 1])]
    backwards = np.concatenate([[0], np.cumsum(np.diff(ptr)[::-1])])
    s = s_of((xy, score, ptr), channels)
    reversed_s = s_of((xy[order], score[order], backwards), channels)
    assert reversed_s == pytest.approx(s[:, ::-1], abs=1e-5)
    u, reversed_u = potion_u(s)[0], potion_u(reversed_s)[0]
    # U divides by a peak that may be as faint as .005 * 1e-2.
    assert potion_i(reversed_u) == pytest.approx(potion_i(u), abs=1e-3)


@settings(max_examples=25)
@given(SEED, CHANNELS, st.integers(1, 6))
def test_bounds_of_u_i_and_n(seed: int, channels: int, frames: int) -> None:
    u, _ = potion_u(s_of(people_of(seed, frames), channels))
    i, n = potion_i(u), potion_n(u)
    assert 0 <= u.min() <= u.max() <= 1
    assert i.max() <= channels + 1e-5
    assert 0 <= n.min() <= n.max() <= 0.5
    assert n.sum(axis=1).max() <= channels / (1 + channels) + 1e-6


@pytest.mark.parametrize("name", ["one", "wide"])
def test_u_i_and_n_equal_the_published_implementation(name: str) -> None:
    data = golden(name)
    people, sigma = (data["xy"], data["rows_score"], data["ptr"]), float(data["sigma"])
    # U divides by a maximum, so what the published cut adds must be in the maps before.
    ring = published_ring(*people, sigma, data["size"])
    maps = np.maximum(joints(people, data["size"], sigma=sigma), ring)
    u, _ = potion_u(encode_maps(maps.swapaxes(0, 1), 3))
    parts = {"potion_U": u, "potion_I": potion_i(u), "potion_N": potion_n(u)}
    for key, part in parts.items():
        stacked = part.reshape(-1, *data["size"]).transpose(1, 2, 0)  # channel k C + c last
        assert np.abs(stacked - data[key][0]).max() < 2e-6, key


@settings(max_examples=25)
@given(SEED, CHANNELS, st.integers(0, 6))
def test_triplets_and_their_maps_are_encoded_alike(seed: int, channels: int, frames: int) -> None:
    people = people_of(seed, frames)
    maps = np.zeros((3, frames, *SIZE), np.float32)
    if frames:
        draw_joints(*people, maps, sigma=0.6)
    s = encode_maps(maps.swapaxes(0, 1), channels)
    assert s_of(people, channels) == pytest.approx(s, abs=1e-5)


def test_the_spread_and_the_reach_of_gaussians_are_parameters() -> None:
    xy, score, ptr = standing(1, present=1)
    wide, narrow = (
        potion_s(
            xy, score, ptr, num_channels=2, sigma=1.0, size_hw=(20, 20), truncate=truncate
        )
        for truncate in (4.0, 2.0)
    )  # fmt: skip
    assert np.count_nonzero(wide[0, 0]) == 9 * 9
    assert np.count_nonzero(narrow[0, 0]) == 5 * 5


def test_a_joint_that_stays_has_p_of_one() -> None:
    p = jmrn_p(s_of(standing(9, present=9)), 9)
    assert p.max(axis=(2, 3)) == pytest.approx(np.ones((1, 3)), abs=1e-6)


def test_a_shorter_stay_lowers_p_but_not_u() -> None:
    s = s_of(standing(9, present=5))
    u, p = potion_u(s)[0], jmrn_p(s, 9)
    # Frames 0-4 of 9 in 3 channels: shares 1, .75, .5, .25, 0 of a whole of 2.5, then
    # 0, .25, .5, .75, 1 of a whole of 4, and nothing.
    assert p.max(axis=(2, 3))[0] == pytest.approx([1.0, 2.5 / 4.0, 0.0], abs=1e-5)
    assert u.max(axis=(2, 3))[0] == pytest.approx([1.0, 1.0, 0.0], abs=1e-3)


@pytest.mark.parametrize("num_frames", [0, 1, 2])
def test_p_of_few_frames_divides_by_nothing(num_frames: int) -> None:
    p = jmrn_p(s_of(standing(num_frames, present=num_frames)), num_frames)
    expected = {0: [0, 0, 0], 1: [1, 0, 0], 2: [1, 0, 1]}[num_frames]
    assert p.max(axis=(2, 3))[0] == pytest.approx(expected, abs=1e-6)


def test_s_comes_back_from_u_and_its_maximum() -> None:
    s = s_of(people_of(5, 6))
    assert recover_s(*potion_u(s)) == pytest.approx(s, abs=1e-6)


def test_the_networks_input_is_u_then_i_then_n() -> None:
    u = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float32)
    stacked = derive_potion(u)
    assert stacked.shape == (2 * 7, 4, 5)
    assert stacked.dtype == np.float32
    assert np.array_equal(stacked[4], u[1, 1])
    assert stacked[7] == pytest.approx(u[1].sum(axis=0))
    assert stacked[8 + 5] == pytest.approx(u[1, 2] / (u[1].sum(axis=0) + 1))


def test_weights_of_the_encoding_make_pa3ds_convolution_potion() -> None:
    people = people_of(1, 6)
    cube = dense_joints(*people, 0.6, SIZE, "max").swapaxes(0, 1)  # time first
    theta = time_encoding(6, 4).T  # (N, T), shared by all joints
    associated = np.einsum("nt,tkyx->knyx", theta, cube)
    assert s_of(people, 4) == pytest.approx(associated, abs=1e-5)


def test_a_picture_runs_from_red_over_green_to_blue() -> None:
    maps = np.zeros((1, 3, 1, 4), np.float32)
    maps[0, [0, 1, 2], 0, [0, 1, 2]] = 7.0
    assert colour_potion(maps)[0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]]


def test_a_picture_in_two_channels_is_red_and_blue() -> None:
    maps = np.zeros((2, 2, 1, 2), np.float32)
    maps[0, 0, 0, 0], maps[1, 1, 0, 1] = 0.2, 5.0
    picture = colour_potion(maps)
    assert picture[0].tolist() == [[255, 0, 0], [0, 0, 255]]
    assert picture.dtype == np.uint8


def test_a_picture_of_nobody_is_black() -> None:
    assert not colour_potion(np.zeros((17, 3, 4, 5), np.float32)).any()


def test_maps_of_another_rank_are_refused() -> None:
    with pytest.raises(ValueError, match=r"maps must be \(T, K, H, W\), got shape \(3, 4, 5\)"):
        encode_maps(np.zeros((3, 4, 5)), 3)


def test_people_apart_are_normalised_apart() -> None:
    u = np.random.default_rng(0).random((2, 3, 4, 5, 6)).astype(np.float32)
    assert np.array_equal(potion_n(u)[1], potion_n(u[1]))
    assert np.array_equal(jmrn_p(u, 9)[1], jmrn_p(u[1], 9))


@pytest.mark.parametrize("function", [potion_u, potion_i, potion_n, derive_potion])
def test_steps_of_a_store_are_refused_where_values_are_meant(function: Any) -> None:
    stored = np.full((2, 3, 4, 5), 200, np.uint8)
    with pytest.raises(ValueError, match="must be floating values, got uint8; make values of"):
        function(stored)
    with pytest.raises(ValueError, match="must be floating values"):
        jmrn_p(stored, 9)
    with pytest.raises(ValueError, match="must be floating values"):
        recover_s(stored, np.ones((2, 3), np.float32))


def test_shapes_that_do_not_fit_are_named() -> None:
    xy, score, ptr = people_of(0, 3)
    sizes = {"num_channels": 3, "sigma": 1.0, "size_hw": SIZE}
    with pytest.raises(ValueError, match=r"score must be \(P, K\) and frame_ptr \(T \+ 1,\), got"):
        potion_s(xy, score[:, 0], ptr, **sizes)
    with pytest.raises(ValueError, match=r"frame_ptr \(T \+ 1,\), got .* and \(0,\)"):
        potion_s(xy, score, ptr[:0], **sizes)
    with pytest.raises(ValueError, match=r"size_hw must be \(height, width\), at least 1 x 1"):
        potion_s(xy, score, ptr, **(sizes | {"size_hw": (0, 4)}))
    u = np.ones((3, 4, 5), np.float32)
    with pytest.raises(
        ValueError, match=r"u must have 4 dimensions or more, got shape \(3, 4, 5\)"
    ):
        derive_potion(u)
    with pytest.raises(ValueError, match=r"maximum must be \(3,\), one for each map, got \(2,\)"):
        recover_s(u, np.ones(2, np.float32))


def test_the_others_are_further_channels_of_a_joint() -> None:
    p = np.arange(2 * 4 * 3 * 2 * 2, dtype=np.float32).reshape(2, 4, 3, 2, 2)
    stacked = stack_roles(p)
    assert stacked.shape == (4, 6, 2, 2)
    assert np.array_equal(stacked[3, 1], p[0, 3, 1])
    assert np.array_equal(stacked[3, 4], p[1, 3, 1])
    with pytest.raises(ValueError, match=r"p must be \(2, K, C, H, W\), .* got \(4, 3, 2, 2\)"):
        stack_roles(p[0])


def test_one_channel_encodes_no_time() -> None:
    with pytest.raises(ValueError, match="needs 2 channels or more, got 1"):
        time_encoding(5, 1)
