from typing import Any

import numpy as np
import pytest
from blobs import blobs
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.augment import (
    drop_joints,
    independent_jitter,
    pose_aware_jitter,
    pose_aware_rotation,
    random_scale,
)
from posemill.transforms.skeletons import COCO_17, jitter_groups

SEED = st.integers(0, 2**32 - 1)
SIZE = 33
MIDDLE = SIZE // 2
TORSO = [11, 12]
GROUPS = jitter_groups(COCO_17)


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
    return offsets(pose_aware_jitter(dots(), GROUPS, rng(seed), beta=beta, gamma=gamma))


def centres(maps: np.ndarray) -> np.ndarray:
    """(K, C, 2): centre of mass, (x, y)."""
    mass = maps.sum(axis=(-2, -1))
    x = (maps.sum(axis=-2) * np.arange(maps.shape[-1])).sum(axis=-1) / mass
    y = (maps.sum(axis=-1) * np.arange(maps.shape[-2])).sum(axis=-1) / mass
    return np.stack([x, y], axis=-1)


@given(SEED, st.integers(1, 8))
def test_the_global_step_moves_everything_alike(seed: int, beta: int) -> None:
    moved = jittered(seed, beta, gamma=0)
    assert (moved == moved[0, 0]).all()
    assert np.abs(moved).min() >= 1
    assert np.abs(moved).max() <= beta


@given(SEED, st.integers(1, 5))
def test_groups_move_as_one_and_the_torso_stays(seed: int, gamma: int) -> None:
    moved = jittered(seed, beta=0, gamma=gamma)
    assert not moved[TORSO].any()
    for group in GROUPS:
        within = moved[list(group)]
        assert (within == within[0, 0]).all()
        assert np.abs(within).min() >= 1
        assert np.abs(within).max() <= gamma


@given(SEED)
def test_the_torso_does_not_feel_gamma(seed: int) -> None:
    assert np.array_equal(jittered(seed, 6, 3)[TORSO], jittered(seed, 6, 0)[TORSO])


def test_both_steps_draw_their_whole_range() -> None:
    everything = np.stack([jittered(seed, 2, 0)[0, 0] for seed in range(200)])
    head = np.stack([jittered(seed, 0, 2)[0, 0] for seed in range(200)])
    for moved in (everything, head):
        assert {tuple(int(d) for d in step) for step in moved} == {
            (dy, dx) for dy in (-2, -1, 1, 2) for dx in (-2, -1, 1, 2)
        }


def test_groups_move_apart() -> None:
    moved = np.stack([jittered(seed, 0, 3) for seed in range(20)])
    assert all((moved[:, a[0]] != moved[:, b[0]]).any() for a in GROUPS for b in GROUPS if a != b)


def test_zeros_come_in_and_content_goes_out() -> None:
    maps = np.ones((17, 1, 5, 5), np.float32)
    moved = pose_aware_jitter(maps, (), rng(), beta=1, gamma=0)
    assert moved.sum(axis=(2, 3)).tolist() == [[16.0]] * 17
    assert not pose_aware_jitter(maps[..., :1, :1], (), rng(), beta=1, gamma=0).any()


def test_without_jitter_a_copy_comes_back() -> None:
    for maps in (
        pose_aware_jitter(dots(), GROUPS, rng(), beta=0, gamma=0),
        pose_aware_rotation(dots(), GROUPS, rng(), beta_degrees=0, gamma_degrees=0),
        drop_joints(dots(), rng(), probability=0.0),
    ):
        assert np.array_equal(maps, dots())


@given(SEED)
def test_every_joint_jittered_on_its_own(seed: int) -> None:
    moved = offsets(independent_jitter(dots(), rng(seed), pixels=4))
    assert np.array_equal(moved[:, 0], moved[:, 1])  # one shift for all channels
    assert np.abs(moved).min() >= 1
    assert np.abs(moved).max() <= 4
    assert len(np.unique(moved[:, 0], axis=0)) > 3


def test_nothing_is_jittered_by_no_pixels() -> None:
    assert np.array_equal(independent_jitter(dots(), rng(), pixels=0), dots())


def arrow() -> np.ndarray:
    """Each joint a wide Gaussian at its own distance right of the middle, in both channels."""
    xy = np.full((1, 17, 2), MIDDLE, np.float32)
    xy[0, :, 0] += np.arange(17) / 2.0
    drawn = blobs(xy, np.ones((1, 17), np.float32), (SIZE, SIZE), 1.6)
    return np.repeat(drawn, 2, axis=1).astype(np.float32)


@settings(max_examples=30)
@given(SEED, st.floats(1, 180))
def test_the_global_turn_is_one_about_the_centre(seed: int, beta: float) -> None:
    turned = pose_aware_rotation(arrow(), GROUPS, rng(seed), beta_degrees=beta, gamma_degrees=0)
    before, now = centres(arrow()) - MIDDLE, centres(turned) - MIDDLE
    assert np.hypot(*now.T) == pytest.approx(np.hypot(*before.T), abs=0.03)
    direction = now[16, 0] / np.hypot(*now[16, 0])
    assert now == pytest.approx(before[..., :1] * direction, abs=0.03)
    assert abs(np.degrees(np.arctan2(direction[1], direction[0]))) <= beta + 0.5
    assert turned.sum(axis=(2, 3)) == pytest.approx(arrow().sum(axis=(2, 3)), rel=0.02)


@settings(max_examples=30)
@given(SEED, st.floats(1, 90))
def test_groups_turn_about_themselves_and_the_torso_stays(seed: int, gamma: float) -> None:
    turned = pose_aware_rotation(arrow(), GROUPS, rng(seed), beta_degrees=0, gamma_degrees=gamma)
    assert np.array_equal(turned[TORSO], arrow()[TORSO])
    before, now = centres(arrow()), centres(turned)
    for group in map(list, GROUPS):
        assert now[group].mean(axis=(0, 1)) == pytest.approx(
            before[group].mean(axis=(0, 1)), abs=0.05
        )
        along = now[group][1:, 0] - now[group][0, 0]
        was = before[group][1:, 0] - before[group][0, 0]
        assert np.hypot(*along.T) == pytest.approx(np.hypot(*was.T), abs=0.05)


@settings(max_examples=20)
@given(SEED)
def test_the_torso_does_not_feel_the_turns_of_groups(seed: int) -> None:
    both, whole = (
        pose_aware_rotation(arrow(), GROUPS, rng(seed), beta_degrees=20, gamma_degrees=gamma)
        for gamma in (10, 0)
    )
    assert np.array_equal(both[TORSO], whole[TORSO])
    assert np.array_equal(both[:, 0], both[:, 1])  # one angle for all channels


def test_maps_of_nobody_turn_into_zeros() -> None:
    nobody = np.zeros((17, 2, 5, 6), np.uint8)
    assert not pose_aware_rotation(nobody, GROUPS, rng(), beta_degrees=10, gamma_degrees=10).any()


@settings(max_examples=30)
@given(SEED)
def test_scaling_is_about_the_centre_by_a_factor_of_the_range(seed: int) -> None:
    scaled = random_scale(arrow(), rng(seed), limits=(0.7, 1.0))
    before, now = centres(arrow()) - MIDDLE, centres(scaled) - MIDDLE
    factors = now[4:, :, 0] / before[4:, :, 0]
    assert factors == pytest.approx(factors[0, 0], abs=0.05)
    assert 0.65 < factors[0, 0] < 1.05
    assert np.abs(now[..., 1]).max() < 0.05


def test_the_same_size_is_the_same_maps() -> None:
    maps = rng().random((17, 2, 8, 9)).astype(np.float32)
    assert random_scale(maps, rng(), limits=(1.0, 1.0)) == pytest.approx(maps, abs=1e-6)


def test_dropped_joints_lose_all_their_maps() -> None:
    maps = np.ones((17, 2, 3, 3), np.uint8)
    kept = np.stack([drop_joints(maps, rng(seed), probability=0.25) for seed in range(300)])
    totals = kept.sum(axis=(2, 3, 4))
    assert set(np.unique(totals)) == {0, 18}
    assert (totals == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert not drop_joints(maps, rng(), probability=1.0).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
def test_equal_generators_change_alike_and_leave_all_else_alone(dtype: type) -> None:
    maps = (255 * rng().random((17, 2, 8, 9))).astype(dtype)
    kept = maps.copy()
    state = np.random.get_state(legacy=False)  # noqa: NPY002

    def drawn() -> list[np.ndarray]:
        return [
            pose_aware_jitter(maps, GROUPS, rng(5), beta=2, gamma=2),
            independent_jitter(maps, rng(5), pixels=2),
            pose_aware_rotation(maps, GROUPS, rng(5), beta_degrees=9, gamma_degrees=9),
            random_scale(maps, rng(5), limits=(0.5, 2.0)),
            drop_joints(maps, rng(5), probability=0.5),
        ]

    for first, second in zip(drawn(), drawn(), strict=True):
        assert np.array_equal(first, second)
        assert first.dtype == dtype
        assert first.shape == maps.shape
        first[:] = 0
    assert np.array_equal(maps, kept)
    np.testing.assert_equal(np.random.get_state(legacy=False), state)  # noqa: NPY002


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="beta must be 0 or more whole px, got -1"):
        pose_aware_jitter(dots(), (), rng(), beta=-1, gamma=2)
    with pytest.raises(ValueError, match="gamma must be 0 or more whole px, got -2"):
        pose_aware_jitter(dots(), (), rng(), beta=1, gamma=-2)
    with pytest.raises(ValueError, match="pixels must be 0 or more whole px, got -2"):
        independent_jitter(dots(), rng(), pixels=-2)
    with pytest.raises(ValueError, match="gamma_degrees must be 0 or more degrees, got nan"):
        pose_aware_rotation(dots(), (), rng(), beta_degrees=0.0, gamma_degrees=float("nan"))
    with pytest.raises(ValueError, match=r"groups must be joints from 0 to 16, got \(17,\)"):
        pose_aware_jitter(dots(), [(17,)], rng(), beta=0, gamma=1)
    with pytest.raises(ValueError, match=r"once at most, got \[\[1, 2\], \[2, 3\]\]"):
        pose_aware_rotation(dots(), [(1, 2), [2, 3]], rng(), beta_degrees=0, gamma_degrees=1)
    with pytest.raises(ValueError, match=r"limits must be a rising range above 0, got \(2.0, 1.0"):
        random_scale(dots(), rng(), limits=(2.0, 1.0))
    with pytest.raises(ValueError, match=r"probability must be from 0 to 1, got 1.5"):
        drop_joints(dots(), rng(), probability=1.5)
    with pytest.raises(
        ValueError, match=r"joint_axis must be an axis before H and W .* \(4, 4\), got 0"
    ):
        pose_aware_jitter(np.zeros((4, 4)), (), rng(), beta=1, gamma=0)


@pytest.mark.parametrize("pixels", [2.5, 0.5, 2.0, np.nan, "2", None])
def test_pixels_are_whole(pixels: float) -> None:
    with pytest.raises(ValueError, match=r"beta must be 0 or more whole px, got"):
        pose_aware_jitter(dots(), (), rng(), beta=pixels, gamma=0)
    with pytest.raises(ValueError, match=r"gamma must be 0 or more whole px, got"):
        pose_aware_jitter(dots(), (), rng(), beta=0, gamma=pixels)
    with pytest.raises(ValueError, match=r"pixels must be 0 or more whole px, got"):
        independent_jitter(dots(), rng(), pixels=pixels)


@pytest.mark.parametrize("groups", [None, 3, [3], ["ab"], [(1.0,)], [(-1,)], [(None,)]])
def test_groups_that_are_none_are_refused(groups: Any) -> None:
    with pytest.raises(ValueError, match="groups must be"):
        pose_aware_jitter(dots(), groups, rng(), beta=0, gamma=1)


def changed(maps: np.ndarray, joint_axis: int, seed: int) -> list[np.ndarray]:
    """By every change that looks at joints."""
    axis: dict[str, Any] = {"joint_axis": joint_axis}
    return [
        pose_aware_jitter(maps, GROUPS, rng(seed), beta=3, gamma=2, **axis),
        independent_jitter(maps, rng(seed), pixels=3, **axis),
        pose_aware_rotation(maps, GROUPS, rng(seed), beta_degrees=9, gamma_degrees=9, **axis),
        drop_joints(maps, rng(seed), probability=0.3, **axis),
    ]


@settings(max_examples=20)
@given(SEED, st.sampled_from([(1, 4), (2, 5), (1, 5), (-3, 4), (-4, 5)]))
def test_joints_on_another_axis_are_changed_as_on_the_first(
    seed: int, axes: tuple[int, int]
) -> None:
    # As cubes (time, keypoint, y, x) and (time, person, keypoint, y, x) and volumes have them.
    joint_axis, rank = axes
    first = (255 * rng(seed).random((17, *range(2, rank - 1), 12, 14))).astype(np.uint8)
    cube = np.ascontiguousarray(np.moveaxis(first, 0, joint_axis))
    kept = cube.copy()
    for of_first, of_cube in zip(
        changed(first, 0, seed), changed(cube, joint_axis, seed), strict=True
    ):
        assert of_cube.flags.c_contiguous
        assert np.array_equal(np.moveaxis(of_cube, joint_axis, 0), of_first)
    assert np.array_equal(cube, kept)


def test_a_joint_beyond_its_axis_is_refused() -> None:
    cube = np.zeros((80, 17, 6, 8), np.uint8)
    for change in (pose_aware_jitter, pose_aware_rotation):
        steps = (
            {"beta": 1, "gamma": 1}
            if change is pose_aware_jitter
            else {"beta_degrees": 1, "gamma_degrees": 1}
        )
        with pytest.raises(ValueError, match=r"groups must be joints from 0 to 16, got \[17\]"):
            change(cube, [[17]], rng(), joint_axis=1, **steps)
        with pytest.raises(ValueError, match="joint_axis must be an axis before H and W"):
            change(cube, [[1]], rng(), joint_axis=2, **steps)


def test_lists_are_as_good_as_arrays() -> None:
    maps = dots()[..., :4, :4]
    jittered_list = pose_aware_jitter(maps.tolist(), GROUPS, rng(1), beta=1, gamma=1)
    assert np.array_equal(jittered_list, pose_aware_jitter(maps, GROUPS, rng(1), beta=1, gamma=1))
    assert np.array_equal(drop_joints(maps.tolist(), rng(), probability=0), maps)
    with pytest.raises(ValueError, match="maps must be real numbers, got object"):
        drop_joints([[[None]]], rng(), probability=0)
    with pytest.raises(ValueError, match="probability must be a number, got None"):
        drop_joints(maps, rng(), probability=None)
    with pytest.raises(ValueError, match="beta_degrees must be a number, got 'x'"):
        pose_aware_rotation(maps, (), rng(), beta_degrees="x", gamma_degrees=0)
    for limits in (None, 1.0, (1.0,), (0.5, np.nan)):
        with pytest.raises(ValueError, match="limits must be a rising range above 0, got"):
            random_scale(maps, rng(), limits=limits)
