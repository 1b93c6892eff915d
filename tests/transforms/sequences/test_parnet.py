"""PARNet's poses, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.sequences import parnet_poses
from posemill.transforms.skeletons import PARNET_14


def people(num_frames: int = 16, num_people: int = 2):
    """Everybody's joint k at (k, 2 k) px, score .9."""
    joint = np.arange(14, dtype=np.float32)
    xy = np.broadcast_to(np.stack([joint, 2 * joint], axis=-1), (num_frames, num_people, 14, 2))
    return xy.copy(), np.full((num_frames, num_people, 14), 0.9, np.float32)


def test_the_crop_is_the_unit_square() -> None:
    xy, score = people(1, 1)
    # Pixel 0 starts at 0, pixel 223 of 224 ends at 1; their centres lie half a pixel inside.
    xy[0, 0, 0], xy[0, 0, 1] = (0, 223), (-0.5, 223.5)
    poses = parnet_poses(xy, score, 224)
    assert poses.dtype == np.float32
    np.testing.assert_allclose(poses[0, 0, 0], [0.5 / 224, 223.5 / 224], rtol=1e-6)
    np.testing.assert_allclose(poses[0, 0, 1], [0.0, 1.0], atol=1e-7)


def test_the_shape_is_that_of_the_paper() -> None:
    poses = parnet_poses(*people(16, 2), 224)
    assert poses.shape == (16, 4, 14, 2)
    assert (poses[:, 2:] == 0).all()
    assert parnet_poses(*people(5, 7), 224).shape == (5, 4, 14, 2)
    assert parnet_poses(*people(0, 0), 224, num_people=1).shape == (0, 1, 14, 2)


def test_the_first_four_people_are_kept() -> None:
    xy, score = people(2, 6)
    xy[..., 0] += 100 * np.arange(6)[:, None]
    poses = parnet_poses(xy, score, 100)
    np.testing.assert_allclose(poses[1, :, 0, 0], [0.005, 1.005, 2.005, 3.005], rtol=1e-6)


def test_missing_joints_are_zero_after_the_transform_and_those_outside_are_not() -> None:
    xy, score = people(1, 1)
    xy[0, 0, 3], score[0, 0, 3] = (50, 60), 0
    xy[0, 0, 4], score[0, 0, 4] = np.nan, 0
    xy[0, 0, 5], score[0, 0, 5] = (50, 60), np.nan
    xy[0, 0, 6] = (np.nan, 4)
    xy[0, 0, 7] = (-100.5, 999.5)
    poses = parnet_poses(xy, score, 100)
    assert (poses[0, 0, 3:7] == 0).all()
    np.testing.assert_allclose(poses[0, 0, 7], [-1.0, 10.0], rtol=1e-6)


@settings(max_examples=30)
@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_flipping_maps_u_to_1_minus_u(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-size, 2 * size, (3, 2, 14, 2)).astype(np.float32)
    score = rng.choice(np.array([0, 0.5, 1], np.float32), (3, 2, 14))
    kept = xy.copy(), score.copy()
    mirror = list(PARNET_14.mirror)
    flipped = xy[:, :, mirror] * np.float32([-1, 1]) + np.float32([size - 1, 0])
    poses = parnet_poses(xy, score, size)[:, :2]
    expected = poses[:, :, mirror].copy()
    there = score[:, :, mirror] > 0
    expected[there, 0] = 1 - expected[there, 0]
    mirrored = parnet_poses(flipped, score[:, :, mirror], size)[:, :2]
    np.testing.assert_allclose(mirrored, expected, atol=2e-5)
    np.testing.assert_array_equal(xy, kept[0])
    np.testing.assert_array_equal(score, kept[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop_size": 0}, "crop_size must be a whole number of at least 1, got 0"),
        ({"num_people": 0}, "num_people must be a whole number of at least 1, got 0"),
        ({"xy_px": np.zeros((1, 1, 17, 2)), "score": np.zeros((1, 1, 17))}, "14 joints of 'parnet"),
        ({"xy_px": np.zeros((1, 1, 14, 3))}, r"xy_px must be \(T, M, 14, 2\), got \(1, 1, 14, 3\)"),
        ({"score": np.zeros((1, 1, 13))}, r"a position for each of \(1, 1, 13\) scores"),
        ({"score": np.zeros((1, 14))}, r"score must be \(T, M, K\), got \(1, 14\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, message: str) -> None:
    xy, score = people(1, 1)
    arguments = {"xy_px": xy, "score": score, "crop_size": 224, **change}
    with pytest.raises(ValueError, match=message):
        parnet_poses(**arguments)
