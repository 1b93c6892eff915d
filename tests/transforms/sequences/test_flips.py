"""Mirrored sequences are the sequences of mirrored people."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.schema import Skeleton
from posemill.transforms.geometry import flip_joints
from posemill.transforms.sequences import (
    bones,
    flip_graph_bones,
    flip_graph_joints,
    flip_parnet_candidates,
    flip_parnet_poses,
    flip_vpn_poses,
    graph_sequence,
    motion,
    normalise_2d,
    normalise_3d,
    parnet_poses,
    vpn_poses,
    vpn_root,
)
from posemill.transforms.skeletons import (
    COCO_17,
    NTU_25,
    PARNET_14,
    limb_mirror,
    make_skeleton,
)

SEED = st.integers(0, 2**32 - 1)
SKELETON = st.sampled_from([COCO_17, NTU_25])
alike = settings(max_examples=30)
Arrays = tuple[np.ndarray, np.ndarray]

# Its shoulders' limb, from left to right, is its own mirror image, turned around.
SHOULDERS = make_skeleton(
    "shoulders", ("left_shoulder", "right_shoulder", "neck"), ((0, 1), (2, 0), (2, 1))
)


def people(seed: int, skeleton: Skeleton, size: int = 2) -> Arrays:
    """Two people in five frames; a quarter of the joints is missing, somewhere off."""
    rng = np.random.default_rng(seed)
    positions = (rng.integers(-800, 1600, (5, 2, skeleton.num_keypoints, size)) / 8).astype("f4")
    score = rng.choice(np.array([0, 0.25, 0.5, 1], np.float32), positions.shape[:-1])
    positions[score == 0] = rng.choice([np.nan, 7.0])
    return positions, score


def mirrored(positions: np.ndarray, score: np.ndarray, skeleton: Skeleton) -> Arrays:
    """In metres: x to -x, left and right joints swapped."""
    order = list(skeleton.mirror)
    return (positions * np.float32([-1, 1, 1]))[..., order, :], score[..., order]


def no_negative_zeros(array: np.ndarray) -> bool:
    return not np.signbit(array[array == 0]).any()


@alike
@given(SEED)
def test_parnet_poses(seed: int) -> None:
    xy, score = people(seed, PARNET_14)
    poses = parnet_poses(xy, score, 224)
    flipped = flip_parnet_poses(poses, PARNET_14.mirror)
    expected = parnet_poses(*flip_joints(xy, score, 224, PARNET_14.mirror), 224)
    np.testing.assert_allclose(flipped, expected, atol=1e-6)
    assert np.array_equal((flipped == 0).all(axis=-1), (expected == 0).all(axis=-1))
    assert no_negative_zeros(flipped)


def test_a_wrist_on_the_left_of_the_crop_is_the_other_one_on_its_right() -> None:
    left, right = (PARNET_14.keypoints.index(f"{side}_wrist") for side in ("left", "right"))
    poses = np.zeros((1, 1, 14, 2), np.float32)
    poses[0, 0, left] = 0.25, 0.5
    flipped = flip_parnet_poses(poses, PARNET_14.mirror)
    assert flipped[0, 0, right].tolist() == [0.75, 0.5]
    assert np.count_nonzero(flipped) == 2  # all others stay (0, 0)


@alike
@given(SEED, st.integers(1, 500))
def test_parnet_candidates(seed: int, width: int) -> None:
    xy, score = people(seed, PARNET_14)
    stored = np.where(score[..., None] > 0, xy, 0)  # as the recipe stores them
    flipped, flipped_score = flip_parnet_candidates(stored, score, width, PARNET_14.mirror)
    expected, expected_score = flip_joints(xy, score, width, PARNET_14.mirror)
    seen = expected_score > 0
    assert np.array_equal(flipped[seen], expected[seen])
    assert not flipped[~seen].any()
    assert np.array_equal(flipped_score, expected_score)
    back = flip_parnet_candidates(flipped, flipped_score, width, PARNET_14.mirror)
    np.testing.assert_allclose(back[0], stored, atol=1e-3)


@alike
@given(SEED, SKELETON, st.sampled_from([2, 3]))
def test_vpn_poses(seed: int, skeleton: Skeleton, size: int) -> None:
    positions, score = people(seed, skeleton, 3)
    root = vpn_root(skeleton)
    other, other_score = mirrored(positions, score, skeleton)
    poses = vpn_poses(positions[:, 0, :, :size], score[:, 0], root)
    flipped = flip_vpn_poses(poses, skeleton.mirror)
    expected = vpn_poses(other[:, 0, :, :size], other_score[:, 0], root)
    np.testing.assert_allclose(flipped, expected, atol=1e-3)
    assert no_negative_zeros(flipped)


def streams(positions: np.ndarray, score: np.ndarray, skeleton: Skeleton) -> list[np.ndarray]:
    """The four streams of graph networks: joints, their motion; bones, their motion."""
    of_bones = bones(positions, score, skeleton)
    four = ((positions, score), motion(positions, score), of_bones, motion(*of_bones))
    return [graph_sequence(*stream) for stream in four]


@alike
@given(SEED, st.sampled_from([COCO_17, NTU_25, SHOULDERS]))
def test_graph_sequences_of_the_frame(seed: int, skeleton: Skeleton) -> None:
    xy, score = people(seed, skeleton)
    flipped_xy, flipped_score = flip_joints(xy, score, 64, skeleton.mirror)
    here = streams(normalise_2d(xy, score, 64, 48), score, skeleton)
    there = streams(normalise_2d(flipped_xy, flipped_score, 64, 48), flipped_score, skeleton)
    for sequence, expected in zip(here[:2], there[:2], strict=True):
        flipped = flip_graph_joints(sequence, skeleton.mirror)
        np.testing.assert_allclose(flipped, expected, atol=1e-5)
        assert no_negative_zeros(flipped)
    for sequence, expected in zip(here[2:], there[2:], strict=True):
        flipped = flip_graph_bones(sequence, limb_mirror(skeleton), "2d")
        np.testing.assert_allclose(flipped, expected, atol=1e-5)
        assert np.array_equal(flipped[2], expected[2])  # scores, which no mirror turns
        assert no_negative_zeros(flipped)


@alike
@given(SEED, SKELETON)
def test_graph_sequences_in_metres(seed: int, skeleton: Skeleton) -> None:
    positions, score = people(seed, skeleton, 3)
    other, other_score = mirrored(positions, score, skeleton)
    here = streams(normalise_3d(positions, score, skeleton), score, skeleton)
    there = streams(normalise_3d(other, other_score, skeleton), other_score, skeleton)
    flipped = [flip_graph_joints(sequence, skeleton.mirror) for sequence in here[:2]]
    flipped += [flip_graph_bones(part, limb_mirror(skeleton), "3d") for part in here[2:]]
    for sequence, expected in zip(flipped, there, strict=True):
        np.testing.assert_allclose(sequence, expected, atol=1e-4)


def test_a_bone_that_is_its_own_mirror_image_turns_around_by_its_sign() -> None:
    assert limb_mirror(SHOULDERS)[0] == (0, -1)
    sequence = np.zeros((3, 1, 3, 1), np.float32)
    sequence[:, 0, 0, 0] = 4, 2, 0.5  # from the left shoulder to the right one
    sequence[:, 0, 1, 0] = 3, 1, 0.75  # from the neck to the left shoulder
    flat = flip_graph_bones(sequence, limb_mirror(SHOULDERS), "2d")
    # The mirror image runs 4 px to the left, and from the joint that is the right one now.
    assert flat[:, 0, :, 0].T.tolist() == [[4, -2, 0.5], [0, 0, 0], [-3, 1, 0.75]]
    deep = flip_graph_bones(sequence, limb_mirror(SHOULDERS), "3d")
    assert deep[:, 0, :, 0].T.tolist() == [[4, -2, -0.5], [0, 0, 0], [-3, 1, 0.75]]


@alike
@given(SEED, st.sampled_from([COCO_17, SHOULDERS]), st.sampled_from(["2d", "3d"]))
def test_views_flip_one_by_one_twice_is_once_and_arguments_stay(
    seed: int, skeleton: Skeleton, space: Any
) -> None:
    rng = np.random.default_rng(seed)
    joints = rng.normal(size=(2, 3, 4, skeleton.num_keypoints, 2)).astype(np.float32)
    limbs = rng.normal(size=(2, 3, 4, len(skeleton.limbs), 2)).astype(np.float32)

    def flip_bones(sequence: np.ndarray) -> np.ndarray:
        return flip_graph_bones(sequence, limb_mirror(skeleton), space)

    def flip_points(sequence: np.ndarray) -> np.ndarray:
        return flip_graph_joints(sequence, skeleton.mirror)

    for flip, views in ((flip_points, joints), (flip_bones, limbs)):
        kept = views.copy()
        once = flip(views)
        assert once.dtype == np.float32
        assert np.array_equal(views, kept)
        assert np.array_equal(once[1], flip(views[1]))
        assert np.array_equal(flip(once), views)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"poses must be \(..., K, 2\), got \(14, 3\)"):
        flip_parnet_poses(np.zeros((14, 3)), PARNET_14.mirror)
    with pytest.raises(ValueError, match="mirror must hold each of 13 joints once, got"):
        flip_parnet_poses(np.zeros((13, 2)), tuple(range(12)))
    with pytest.raises(ValueError, match="width must be a number above 0, got nan"):
        flip_parnet_candidates(np.zeros((2, 2)), np.zeros(2), np.nan, (1, 0))
    with pytest.raises(ValueError, match=r"poses must be \(..., 3, K, t_p\), got \(20, 17, 3\)"):
        flip_vpn_poses(np.zeros((20, 17, 3)), COCO_17.mirror)
    with pytest.raises(ValueError, match=r"sequence must be \(..., 3, T, K, M\), got \(3, 4, 17\)"):
        flip_graph_joints(np.zeros((3, 4, 17)), COCO_17.mirror)
    sequence = np.zeros((3, 4, 2, 1))
    with pytest.raises(ValueError, match=r"mirror must hold each of 2 limbs once, with 1 or -1"):
        flip_graph_bones(sequence, [(0, 1), (1, 2)], "2d")
    with pytest.raises(ValueError, match="space must be '2d' or '3d', got '4d'"):
        flip_graph_bones(sequence, [(1, 1), (0, 1)], "4d")
