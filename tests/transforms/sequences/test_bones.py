"""Bones and motion, by hand and by their invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.sequences import bones, motion
from posemill.transforms.skeletons import COCO_17, NTU_25, make_skeleton

CHAIN = make_skeleton("chain", ("neck", "nose", "head"), ((0, 1), (1, 2)))


def random_people(seed: int, shape: tuple[int, ...]):
    """Whole eighths, so that differences are exact; a third of the joints is missing and NaN."""
    rng = np.random.default_rng(seed)
    positions = (rng.integers(-800, 800, (*shape, 3)) / 8).astype(np.float32)
    score = rng.choice(np.array([0, 0.5, 1], np.float32), shape)
    positions[score == 0] = np.nan
    return positions, score


def test_a_bone_runs_from_the_limbs_first_joint_to_its_second() -> None:
    positions = np.float32([[1, 2], [4, 6], [4, 0]])
    vectors, score = bones(positions, np.float32([0.9, 0.3, 0.5]), CHAIN)
    assert vectors.tolist() == [[3, 4], [0, -6]]
    np.testing.assert_allclose(score, [0.3, 0.3])


def test_a_bone_without_an_end_is_missing() -> None:
    positions = np.float32([[1, 2, 0], [np.nan, 0, 0], [4, 0, 0]])
    vectors, score = bones(positions, np.float32([0.9, 0.3, 0.5]), CHAIN)
    assert (vectors == 0).all()
    assert (score == 0).all()
    vectors, score = bones(np.abs(positions), np.float32([0.9, 0.0, np.nan]), CHAIN)
    assert (vectors == 0).all()
    assert (score == 0).all()


def test_bones_of_people_have_the_shape_of_people() -> None:
    vectors, score = bones(np.ones((5, 2, 25, 3)), np.ones((5, 2, 25)), NTU_25)
    assert vectors.shape == (5, 2, 24, 3)
    assert score.shape == (5, 2, 24)
    assert vectors.dtype == score.dtype == np.float32
    single = make_skeleton("point", ("nose",), ())
    assert bones(np.ones((4, 1, 2)), np.ones((4, 1)), single)[0].shape == (4, 0, 2)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.tuples(*[st.integers(-500, 500)] * 3))
def test_bones_do_not_depend_on_place(seed: int, offset: tuple[int, int, int]) -> None:
    positions, score = random_people(seed, (3, 2, 17))
    here = bones(positions, score, COCO_17)
    there = bones(positions + np.float32(offset), score, COCO_17)
    np.testing.assert_array_equal(here[0], there[0])
    np.testing.assert_array_equal(here[1], there[1])
    assert (here[0][here[1] == 0] == 0).all()


def test_motion_is_the_step_to_the_next_frame() -> None:
    x = np.float32([0, 1, 4, 9])
    step, score = motion(
        x[:, None, None] * np.float32([1, -2]), np.float32([[1], [0.5], [0.7], [1]])
    )
    np.testing.assert_array_equal(step[:, 0, 0], [1, 3, 5, 0])
    np.testing.assert_array_equal(step[:, 0, 1], [-2, -6, -10, 0])
    np.testing.assert_allclose(score[:, 0], [0.5, 0.5, 0.7, 0])


def test_motion_is_missing_beside_a_missing_frame() -> None:
    positions, score = np.float32([[[5, 5]], [[np.nan, 0]], [[7, 7]], [[9, 9]]]), np.ones((4, 1))
    step, lower = motion(positions, score)
    np.testing.assert_array_equal(step[:, 0, 0], [0, 0, 2, 0])
    np.testing.assert_array_equal(lower[:, 0], [0, 0, 1, 0])


@pytest.mark.parametrize("num_frames", [0, 1])
def test_without_a_next_frame_nothing_moves(num_frames: int) -> None:
    step, score = motion(np.ones((num_frames, 2, 17, 3)), np.ones((num_frames, 2, 17)))
    assert step.shape == (num_frames, 2, 17, 3)
    assert (step == 0).all()
    assert (score == 0).all()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_steps_add_up_to_the_way(seed: int, num_frames: int) -> None:
    positions, score = random_people(seed, (num_frames, 2, 17))
    kept = positions.copy()
    step, lower = motion(positions, score)
    np.testing.assert_array_equal(positions, kept)
    assert (step[lower == 0] == 0).all()
    whole = (score > 0).all(axis=0)
    np.testing.assert_array_equal(step.sum(axis=0)[whole], (positions[-1] - positions[0])[whole])


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_bones_of_motion_are_motion_of_bones(seed: int) -> None:
    positions, score = random_people(seed, (4, 1, 17))
    one, one_score = bones(*motion(positions, score), COCO_17)
    other, other_score = motion(*bones(positions, score, COCO_17))
    np.testing.assert_array_equal(one_score, other_score)
    np.testing.assert_array_equal(one, other)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"positions must have the 17 joints of 'coco-17', got"):
        bones(np.zeros((2, 18, 2)), np.zeros((2, 18)), COCO_17)
    with pytest.raises(
        ValueError, match=r"positions must be \(\.\.\., K, 2 or 3\), a position for"
    ):
        bones(np.zeros((2, 17, 4)), np.zeros((2, 17)), COCO_17)
    with pytest.raises(ValueError, match=r"score must be \(T, \.\.\., K\), got \(17,\)"):
        motion(np.zeros((17, 2)), np.zeros(17))
