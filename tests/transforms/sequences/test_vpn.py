"""VPN's pose tensor, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.transforms.sequences import vpn_poses, vpn_root
from posemill.transforms.skeletons import (
    BODY_25,
    COCO_17,
    NTU_25,
    NUCLA_20,
    SMARTHOME_13,
    make_skeleton,
)


def walk(num_frames: int = 3, num_joints: int = 4, dims: int = 3):
    """Joint k in frame t at (10 k + t, k, 100 + k), score .8."""
    k, t = np.arange(num_joints), np.arange(num_frames)[:, None]
    x, y, z = 10 * k + t, k + 0 * t, 100 + k + 0 * t
    positions = np.stack([x, y, z], axis=-1)[..., :dims].astype(np.float32)
    return positions, np.full((num_frames, num_joints), 0.8, np.float32)


def test_the_root_is_the_spines_middle_else_the_hips() -> None:
    assert vpn_root(NTU_25) == (1,)
    assert vpn_root(NUCLA_20) == (1,)
    assert vpn_root(BODY_25) == (8,)
    assert vpn_root(COCO_17) == (11, 12)
    assert vpn_root(SMARTHOME_13) == (5, 4)


def test_a_skeleton_without_hips_has_no_root() -> None:
    face = make_skeleton("face", ("nose", "left_eye", "right_eye"), ((0, 1), (0, 2)))
    with pytest.raises(InputError, match="skeleton 'face' has no root for VPN: it needs spine_mid"):
        vpn_root(face)


def test_the_first_frames_root_becomes_the_origin() -> None:
    poses = vpn_poses(*walk(), root=(1,))
    assert poses.shape == (3, 4, 3)
    assert poses.dtype == np.float32
    np.testing.assert_array_equal(poses[:, 1, 0], [0, 0, 0])
    np.testing.assert_array_equal(poses[:, 3, 2], [3 * 10 + 2 - 10, 3 - 1, 3 - 1])


def test_the_root_may_be_the_middle_of_two_joints() -> None:
    poses = vpn_poses(*walk(), root=(0, 1))
    np.testing.assert_array_equal(poses[:, 0, 0], [-5, -0.5, -0.5])
    np.testing.assert_array_equal(poses[:, 1, 0], [5, 0.5, 0.5])


def test_2d_poses_have_no_depth() -> None:
    flat, deep = vpn_poses(*walk(dims=2), root=(1,)), vpn_poses(*walk(), root=(1,))
    np.testing.assert_array_equal(flat[:2], deep[:2])
    assert (flat[2] == 0).all()


def test_missing_joints_stay_where_the_root_was() -> None:
    positions, score = walk()
    positions[1, 2], score[1, 2] = np.inf, 0
    poses = vpn_poses(positions, score, root=(1,))
    assert (poses[:, 2, 1] == 0).all()
    assert (poses[:, 2, 0] != 0).all()


def test_the_first_frame_that_has_the_root_counts() -> None:
    positions, score = walk()
    score[0, 1] = 0
    poses = vpn_poses(positions, score, root=(0, 1))
    np.testing.assert_array_equal(poses[:, 0, 1], [-5, -0.5, -0.5])
    np.testing.assert_array_equal(poses[:, 0, 0], [-6, -0.5, -0.5])
    assert (poses[:, 1, 0] == 0).all()


def test_without_any_root_the_first_detected_joints_stand_for_it() -> None:
    positions, score = walk()
    score[:, 1], score[0] = 0, 0
    # Frame 1 has joints 0, 2, 3 at x 1, 21, 31: mean 53/3.
    poses = vpn_poses(positions, score, root=(1,))
    np.testing.assert_allclose(poses[0, [0, 2, 3], 1], [1 - 53 / 3, 21 - 53 / 3, 31 - 53 / 3], 1e-6)
    assert (poses[:, :, 0] == 0).all()


def test_nobody_is_zeros() -> None:
    positions, score = walk()
    assert (vpn_poses(positions, 0 * score, root=(1,)) == 0).all()
    assert vpn_poses(*walk(num_frames=0), root=(1,)).shape == (3, 4, 0)


offsets = st.tuples(*[st.integers(-1000, 1000)] * 3)


@settings(max_examples=30)
@given(offsets, st.integers(0, 2**32 - 1))
def test_place_does_not_matter(offset: tuple[int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Whole eighths below 2^10: sums are exact in float32.
    positions = (rng.integers(-800, 800, (5, 4, 3)) / 8).astype(np.float32)
    score = rng.choice(np.array([0, 0.5, 1], np.float32), (5, 4))
    kept = positions.copy()
    here = vpn_poses(positions, score, root=(1,))
    there = vpn_poses(positions + np.float32(offset), score, root=(1,))
    np.testing.assert_allclose(there, here, atol=1e-3)
    np.testing.assert_array_equal(positions, kept)
    assert (here.transpose(2, 1, 0)[score == 0] == 0).all()


@pytest.mark.parametrize("root", [(), (4,), (0, -1), (1.0,)])
def test_a_root_that_is_no_joint_is_refused(root: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"root must be .*joints"):
        vpn_poses(*walk(), root=root)


def test_several_people_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match=r"score must be \(T, K\), got \(2, 3, 4\)"):
        vpn_poses(np.zeros((2, 3, 4, 3), np.float32), np.zeros((2, 3, 4), np.float32), root=(1,))
