"""Sequences for graph networks: centre, scale, layout."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.transforms.sequences import (
    centre,
    graph_sequence,
    normalise_2d,
    normalise_3d,
    scale,
)
from posemill.transforms.skeletons import COCO_17, NTU_25, PENN_13, make_skeleton

NECK, NOSE = 0, 1
TRUNK = make_skeleton(
    "trunk", ("left_shoulder", "right_shoulder", "left_hip", "right_hip"), ((0, 2), (1, 3))
)


def trunks(*lengths: float):
    """One person, a frame for each torso length: shoulders at y = -length, hips at y = 0."""
    positions = np.zeros((len(lengths), 1, 4, 2), np.float32)
    positions[..., 0] = [1, -1, 1, -1]
    positions[:, 0, :2, 1] = -np.float32(lengths)[:, None]
    return positions, np.ones((len(lengths), 1, 4), np.float32)


def test_the_frame_covers_minus_1_to_1() -> None:
    # A frame of 320 x 240: its edges lie at -.5 and 319.5, its middle at 159.5.
    xy = np.float32([[-0.5, -0.5], [319.5, 239.5], [159.5, 119.5], [0, 0]])
    made = normalise_2d(xy, np.ones(4), 320, 240)
    np.testing.assert_allclose(made[:3], [[-1, -1], [1, 1], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(made[3], [1 / 320 - 1, 1 / 240 - 1], rtol=1e-6)
    flipped = normalise_2d(np.float32([319, 0]) + np.float32([-1, 1]) * xy, np.ones(4), 320, 240)
    np.testing.assert_allclose(flipped, made * [-1, 1], atol=1e-6)


def test_missing_pixels_are_the_middle_of_the_frame() -> None:
    made = normalise_2d(np.float32([[10, 20], [np.nan, 0]]), np.float32([0, 1]), 320, 240)
    assert (made == 0).all()
    assert made.dtype == np.float32


def test_the_first_persons_first_root_is_the_centre_of_all() -> None:
    positions = np.zeros((2, 2, 2, 3), np.float32)
    positions[0, 0, NECK], positions[0, 1, NECK] = (1, 2, 3), (11, 12, 13)
    positions[1, 0, NECK], positions[1, 1, NECK] = (2, 2, 2), (9, 9, 9)
    made = centre(positions, np.ones((2, 2, 2)), (NECK,))
    np.testing.assert_array_equal(made[0, :, NECK], [[0, 0, 0], [10, 10, 10]])
    np.testing.assert_array_equal(made[1, :, NECK], [[1, 0, -1], [8, 7, 6]])
    np.testing.assert_array_equal(made[0, :, NOSE], [[-1, -2, -3], [-1, -2, -3]])


def test_a_later_frame_of_the_first_person_comes_before_the_second_person() -> None:
    positions = np.arange(2 * 2 * 1 * 2, dtype=np.float32).reshape(2, 2, 1, 2)
    score = np.ones((2, 2, 1), np.float32)
    score[0, 0] = 0
    # The first person's root in frame 1 is (4, 5), the second's in frame 0 is (2, 3).
    np.testing.assert_array_equal(centre(positions, score, (0,))[0, 1, 0], [-2, -2])
    score[1, 0] = 0
    np.testing.assert_array_equal(centre(positions, score, (0,))[1, 1, 0], [4, 4])


def test_without_a_root_nothing_moves_and_missing_joints_are_zero() -> None:
    positions, score = np.full((1, 1, 2, 2), 7, np.float32), np.float32([[[0, 1]]])
    np.testing.assert_array_equal(centre(positions, score, (0,))[0, 0], [[0, 0], [7, 7]])


def test_the_unit_is_the_median_torso_of_the_first_person() -> None:
    positions, score = trunks(4, 2, 100)
    np.testing.assert_array_equal(scale(positions, score, TRUNK), positions / 4)
    score[0, 0, 3] = 0  # frame 0 lacks a hip: median of 2 and 100
    made = scale(positions, score, TRUNK)
    np.testing.assert_allclose(made[1, 0, 0], [1 / 51, -2 / 51], rtol=1e-6)
    assert (made[0, 0, 3] == 0).all()


def test_a_person_without_a_torso_leaves_the_unit_to_the_next() -> None:
    (first, _), (second, score) = trunks(4), trunks(10)
    both = np.concatenate([first, second], axis=1)
    hidden = np.concatenate([score * np.float32([1, 1, 0, 0]), score], axis=1)
    np.testing.assert_array_equal(scale(both, hidden, TRUNK)[:, 1:], second / 10)


@pytest.mark.parametrize("seen", [[1, 1, 0, 1], [0, 0, 0, 0]])
def test_without_a_torso_the_unit_stays(seen: list[int]) -> None:
    positions, score = trunks(4)
    made = scale(positions, score * np.float32(seen), TRUNK)
    np.testing.assert_array_equal(made, positions * np.float32(seen)[:, None])
    np.testing.assert_array_equal(scale(*trunks(0), TRUNK), trunks(0)[0])


def test_a_position_that_is_not_finite_is_missing_whatever_its_score() -> None:
    flat, score = trunks(4, 2)
    positions = np.concatenate([flat, np.zeros_like(flat[..., :1])], axis=-1)
    positions[1, 0, 3] = np.nan  # a hip: only frame 0 shows a torso
    made = normalise_3d(positions, score, TRUNK)
    np.testing.assert_array_equal(made[0], positions[0] / 4)
    assert (made[1, 0, 3] == 0).all()


def test_ntu_is_centred_on_its_spine_and_measured_in_torsos() -> None:
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(4, 2, 25, 3)).astype(np.float32)
    made = normalise_3d(xyz, np.ones((4, 2, 25)), NTU_25)
    np.testing.assert_array_equal(made[0, 0, 1], [0, 0, 0])
    torso = made[:, 0, [4, 8]].mean(axis=1) - made[:, 0, [12, 16]].mean(axis=1)
    assert np.median(np.linalg.norm(torso, axis=-1)) == pytest.approx(1, rel=1e-5)


bodies = st.sampled_from([COCO_17, NTU_25, PENN_13])
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=40)
@given(bodies, seeds, st.tuples(*[st.floats(-5, 5)] * 3), st.floats(0.1, 10))
def test_place_and_size_do_not_matter(skeleton, seed: int, offset, factor: float) -> None:
    rng = np.random.default_rng(seed)
    shape = (5, 2, skeleton.num_keypoints)
    xyz = rng.normal(size=(*shape, 3)).astype(np.float32)
    score = rng.choice(np.array([0, 0.5, 1], np.float32), shape, p=[0.1, 0.4, 0.5])
    # The first person is whole in the first frame, so that there is a root and a torso.
    score[0, 0] = 1
    kept = xyz.copy()
    here = normalise_3d(xyz, score, skeleton)
    moved = (xyz * factor + np.float32(offset)).astype(np.float32)
    moved[score == 0] = np.inf
    there = normalise_3d(moved, score, skeleton)
    np.testing.assert_allclose(there, here, atol=2e-3, rtol=2e-3)
    np.testing.assert_array_equal(xyz, kept)
    assert (here[score == 0] == 0).all()


def test_the_layout_is_channels_time_joints_people() -> None:
    positions = np.arange(2 * 3 * 4 * 2, dtype=np.float32).reshape(2, 3, 4, 2)
    score = np.linspace(0.1, 0.9, 24, dtype=np.float32).reshape(2, 3, 4)
    made = graph_sequence(positions, score)
    assert made.shape == (3, 2, 4, 3)
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    np.testing.assert_array_equal(made[:, 1, 3, 2], [*positions[1, 2, 3], score[1, 2, 3]])


def test_3d_sequences_have_z_and_no_score() -> None:
    positions = np.arange(2 * 3 * 4 * 3, dtype=np.float32).reshape(2, 3, 4, 3)
    score = np.ones((2, 3, 4), np.float32)
    score[1, 2, 3] = 0
    made = graph_sequence(positions, score)
    np.testing.assert_array_equal(made[:, 1, 2, 2], positions[1, 2, 2])
    assert (made[:, 1, 3, 2] == 0).all()


def test_no_people_and_no_frames_are_sequences_too() -> None:
    assert graph_sequence(np.zeros((0, 2, 17, 2)), np.zeros((0, 2, 17))).shape == (3, 0, 17, 2)
    nobody = np.zeros((3, 0, 17, 3)), np.zeros((3, 0, 17))
    assert normalise_3d(*nobody, COCO_17).shape == (3, 0, 17, 3)


def test_what_does_not_fit_is_refused() -> None:
    one = np.zeros((1, 1, 17, 3), np.float32), np.zeros((1, 1, 17), np.float32)
    with pytest.raises(ValueError, match="width must be a whole number of at least 1, got 0"):
        normalise_2d(one[0][..., :2], one[1], 0, 240)
    with pytest.raises(ValueError, match=r"xy_px must be \(\.\.\., K, 2\), got \(1, 1, 17, 3\)"):
        normalise_2d(*one, 320, 240)
    with pytest.raises(ValueError, match="xyz_m must have the 25 joints of 'ntu-25'"):
        normalise_3d(*one, NTU_25)
    with pytest.raises(ValueError, match=r"xyz_m must be \(T, M, K, 3\), got \(1, 1, 17, 2\)"):
        normalise_3d(one[0][..., :2], one[1], COCO_17)
    face = make_skeleton("face", ("nose",), ())
    with pytest.raises(ValueError, match="'face' must have left_shoulder and right_shoulder"):
        scale(one[0][:, :, :1], one[1][:, :, :1], face)
    with pytest.raises(InputError, match="skeleton 'face' has no root"):
        normalise_3d(one[0][:, :, :1], one[1][:, :, :1], face)
    with pytest.raises(ValueError, match=r"root must be one or more joints, got \(\)"):
        centre(*one, ())
