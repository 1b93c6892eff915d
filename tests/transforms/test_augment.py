import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.schema import Skeleton
from posemill.transforms.augment import (
    centre_crop,
    flip_maps,
    jitter_groups,
    pose_aware_jitter,
    random_crop,
)
from posemill.transforms.skeletons import COCO_17

SEED = st.integers(0, 2**32 - 1)
SIZE = 33
MIDDLE = SIZE // 2
TORSO = (11, 12)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def dots() -> np.ndarray:
    """A dot in the middle of the maps of 17 joints and 2 channels."""
    maps = np.zeros((17, 2, SIZE, SIZE), np.float32)
    maps[:, :, MIDDLE, MIDDLE] = 1.0
    return maps


def offsets(maps: np.ndarray) -> np.ndarray:
    """(K, C, 2): how far each dot moved in y and x."""
    flat = maps.reshape(17, 2, -1).argmax(axis=-1)
    return np.stack(np.unravel_index(flat, (SIZE, SIZE)), axis=-1) - MIDDLE


def jittered(seed: int, beta: int, gamma: int) -> np.ndarray:
    groups = jitter_groups(COCO_17)
    return offsets(pose_aware_jitter(dots(), groups, rng(seed), beta=beta, gamma=gamma))


def test_groups_are_those_of_the_paper() -> None:
    assert jitter_groups(COCO_17) == (
        (0, 1, 2, 3, 4),
        (5, 7, 9),
        (6, 8, 10),
        (13, 15),
        (14, 16),
    )


@given(SEED, st.integers(1, 8))
def test_the_global_step_moves_everything_alike(seed: int, beta: int) -> None:
    moved = jittered(seed, beta, gamma=0)
    assert (moved == moved[0, 0]).all()
    assert np.abs(moved).min() >= 1
    assert np.abs(moved).max() <= beta


@given(SEED, st.integers(1, 5))
def test_groups_move_as_one_and_the_torso_stays(seed: int, gamma: int) -> None:
    moved = jittered(seed, beta=0, gamma=gamma)
    assert not moved[list(TORSO)].any()
    for group in jitter_groups(COCO_17):
        within = moved[list(group)]
        assert (within == within[0, 0]).all()
        assert np.abs(within).min() >= 1
        assert np.abs(within).max() <= gamma


@given(SEED)
def test_the_torso_does_not_feel_gamma(seed: int) -> None:
    with_groups, without = jittered(seed, 6, 3), jittered(seed, 6, 0)
    assert np.array_equal(with_groups[list(TORSO)], without[list(TORSO)])


def test_both_steps_draw_their_whole_range() -> None:
    moved = np.stack([jittered(seed, 2, 0)[0, 0] for seed in range(200)])
    assert {tuple(int(d) for d in step) for step in moved} == {
        (dy, dx) for dy in (-2, -1, 1, 2) for dx in (-2, -1, 1, 2)
    }


def test_zeros_come_in_and_content_goes_out() -> None:
    maps = np.ones((17, 1, 5, 5), np.float32)
    moved = pose_aware_jitter(maps, (), rng(), beta=1, gamma=0)
    assert moved.sum(axis=(2, 3)).tolist() == [[16.0]] * 17
    assert not pose_aware_jitter(maps[..., :1, :1], (), rng(), beta=1, gamma=0).any()


def test_without_jitter_a_copy_comes_back() -> None:
    maps = dots()
    same = pose_aware_jitter(maps, jitter_groups(COCO_17), rng(), beta=0, gamma=0)
    assert np.array_equal(same, maps)
    assert not np.shares_memory(same, maps)


def test_arguments_are_left_alone() -> None:
    maps = rng().random((17, 2, 8, 9)).astype(np.float32)
    kept = maps.copy()
    pose_aware_jitter(maps, jitter_groups(COCO_17), rng(), beta=2, gamma=2)
    flip_maps(maps, COCO_17.mirror)[:] = 0
    random_crop(maps, (8, 9), (8, 9), rng())[:] = 0
    assert np.array_equal(maps, kept)


@given(SEED)
def test_equal_generators_give_equal_maps(seed: int) -> None:
    assert np.array_equal(jittered(seed, 4, 2), jittered(seed, 4, 2))


def test_a_flip_swaps_sides_and_reverses_columns() -> None:
    maps = rng().random((17, 2, 4, 5)).astype(np.float32)
    flipped = flip_maps(maps, COCO_17.mirror)
    left, right = COCO_17.keypoints.index("left_knee"), COCO_17.keypoints.index("right_knee")
    assert np.array_equal(flipped[left], maps[right, :, :, ::-1])
    assert np.array_equal(flipped[0], maps[0, :, :, ::-1])
    assert np.array_equal(flip_maps(flipped, COCO_17.mirror), maps)


def test_joints_may_be_any_axis() -> None:
    cube = rng().random((3, 17, 4, 5))
    flipped = flip_maps(cube, COCO_17.mirror, joint_axis=1)
    assert np.array_equal(flipped[:, 1], cube[:, 2, :, ::-1])


def numbered() -> np.ndarray:
    return np.arange(1, 61, dtype=np.uint8).reshape(1, 6, 10)


def test_random_windows_reach_every_place_of_the_valid_part_and_no_other() -> None:
    corners = {int(random_crop(numbered(), (5, 7), (4, 6), rng(i))[0, 0, 0]) for i in range(60)}
    assert corners == {1, 2, 11, 12}


def test_the_middle_window() -> None:
    window = centre_crop(numbered(), (6, 8), (4, 4))
    assert window[0].tolist() == [[13 + 10 * y + x for x in range(4)] for y in range(4)]


def test_a_window_larger_than_the_valid_part_is_filled_with_zeros() -> None:
    window = random_crop(numbered(), (2, 3), (3, 4), rng())
    assert window[0].tolist() == [[1, 2, 3, 0], [11, 12, 13, 0], [0, 0, 0, 0]]
    assert window.dtype == np.uint8


def test_an_unknown_skeleton_has_no_groups() -> None:
    dog = Skeleton("dog", ("head", "tail"), ((0, 1),), (0, 1))
    with pytest.raises(InputError, match="no joint groups to jitter are known for skeleton 'dog'"):
        jitter_groups(dog)


def test_negative_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="beta and gamma must be 0 or more px, got -1 and 2"):
        pose_aware_jitter(dots(), (), rng(), beta=-1, gamma=2)
