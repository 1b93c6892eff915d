import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.augment import (
    drop_joints_of_clip,
    drop_one_joint,
    jitter_joints,
    jitter_joints_independently,
    rotate_joints,
    scale_joints,
)
from posemill.transforms.skeletons import COCO_17, jitter_groups

SEED = st.integers(0, 2**32 - 1)
TORSO = [11, 12]
LIMBS = [7, 8, 9, 10, 13, 14, 15, 16]  # elbows, wrists, knees, ankles
GROUPS = jitter_groups(COCO_17)
CENTRE = (42.5, 31.5)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def people(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """5 rows on whole pixels; joint 9 of row 2 is missing, without coordinates."""
    xy = rng(seed).integers(10, 60, (5, 17, 2)).astype(np.float32)
    score = rng(seed).uniform(0.2, 1.0, (5, 17)).astype(np.float32)
    xy[2, 9], score[2, 9] = np.nan, 0.0
    return xy, score


def steps(moved: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """(K, 2): how far each joint moved, after a look that it moved alike in all rows."""
    step = moved - xy
    first = np.nanmax(step, axis=0)
    assert np.array_equal(
        np.broadcast_to(first, step.shape)[~np.isnan(step)], step[~np.isnan(step)]
    )
    return first


@given(SEED, st.integers(1, 8))
def test_the_global_step_moves_everything_alike(seed: int, beta: int) -> None:
    xy, _ = people()
    step = steps(jitter_joints(xy, GROUPS, rng(seed), beta=beta, gamma=0), xy)
    assert (step == step[0]).all()
    assert 1 <= np.abs(step).min() <= np.abs(step).max() <= beta


@given(SEED, st.integers(1, 5))
def test_groups_move_as_one_and_the_torso_stays(seed: int, gamma: int) -> None:
    xy, _ = people()
    step = steps(jitter_joints(xy, GROUPS, rng(seed), beta=0, gamma=gamma), xy)
    assert not step[TORSO].any()
    for group in map(list, GROUPS):
        assert (step[group] == step[group[0]]).all()
        assert 1 <= np.abs(step[group]).min() <= np.abs(step[group]).max() <= gamma


@given(SEED)
def test_the_torso_does_not_feel_gamma(seed: int) -> None:
    xy, score = people()
    both, whole = (jitter_joints(xy, GROUPS, rng(seed), beta=6, gamma=g) for g in (3, 0))
    assert np.array_equal(both[:, TORSO], whole[:, TORSO])
    turned, once = (
        rotate_joints(
            xy, score, GROUPS, rng(seed), centre=CENTRE, beta_degrees=20.0, gamma_degrees=g
        )
        for g in (10.0, 0.0)
    )
    assert np.array_equal(turned[:, TORSO], once[:, TORSO])


def test_without_jitter_a_copy_comes_back() -> None:
    xy, score = people()
    for same in (
        jitter_joints(xy, GROUPS, rng(), beta=0, gamma=0),
        jitter_joints_independently(xy, rng(), pixels=0),
        rotate_joints(xy, score, GROUPS, rng(), centre=CENTRE, beta_degrees=0, gamma_degrees=0),
        scale_joints(xy, rng(), centre=CENTRE, limits=(1.0, 1.0)),
    ):
        assert np.array_equal(same, xy, equal_nan=True)
        assert not np.shares_memory(same, xy)


@given(SEED)
def test_every_joint_jittered_on_its_own(seed: int) -> None:
    xy, _ = people()
    step = steps(jitter_joints_independently(xy, rng(seed), pixels=4), xy)
    assert 1 <= np.abs(step).min() <= np.abs(step).max() <= 4
    assert len(np.unique(step, axis=0)) > 3


@settings(max_examples=40)
@given(SEED, st.floats(0.1, 180))
def test_the_global_turn_is_one_about_the_centre(seed: int, beta: float) -> None:
    xy, score = people()
    turned = rotate_joints(
        xy, score, GROUPS, rng(seed), centre=CENTRE, beta_degrees=beta, gamma_degrees=0.0
    )
    before, now = xy[score > 0] - CENTRE, turned[score > 0] - CENTRE
    assert np.hypot(*now.T) == pytest.approx(np.hypot(*before.T), abs=1e-3)
    cross = before[:, 0] * now[:, 1] - before[:, 1] * now[:, 0]
    angle = np.degrees(np.arctan2(cross, (before * now).sum(axis=1)))
    assert angle == pytest.approx(angle[0], abs=0.01)
    assert abs(angle[0]) <= beta + 0.01


@settings(max_examples=40)
@given(SEED, st.floats(0.1, 180))
def test_groups_turn_about_their_centre_of_mass(seed: int, gamma: float) -> None:
    xy, score = people()
    turned = rotate_joints(
        xy, score, GROUPS, rng(seed), centre=CENTRE, beta_degrees=0.0, gamma_degrees=gamma
    )
    assert np.array_equal(turned[:, TORSO], xy[:, TORSO])
    for group in map(list, GROUPS):
        seen = score[:, group] > 0
        weights = score[:, group][seen]
        before = np.average(xy[:, group][seen], axis=0, weights=weights)
        now = np.average(turned[:, group][seen], axis=0, weights=weights)
        assert now == pytest.approx(before, abs=1e-3)
        apart = np.linalg.norm(turned[:, group][seen] - now, axis=1)
        assert apart == pytest.approx(np.linalg.norm(xy[:, group][seen] - before, axis=1), abs=1e-3)


def test_a_group_that_was_never_seen_stays_missing() -> None:
    xy, score = people()
    xy[:, list(GROUPS[0])], score[:, list(GROUPS[0])] = np.nan, 0.0
    turned = rotate_joints(
        xy, score, GROUPS, rng(), centre=CENTRE, beta_degrees=9.0, gamma_degrees=9.0
    )
    assert np.array_equal(np.isnan(turned), np.isnan(xy))


def test_scaling_halves_distances_to_the_centre() -> None:
    xy, _ = people()
    scaled = scale_joints(xy, rng(), centre=(10.0, 20.0), limits=(0.5, 0.5))
    assert np.array_equal(scaled, (xy + np.array([10, 20], np.float32)) / 2, equal_nan=True)


def test_factors_fill_their_range() -> None:
    one = np.array([[[1.0, 0.0]]], np.float32)
    factors = [
        float(scale_joints(one, rng(seed), centre=(0.0, 0.0), limits=(0.7, 1.0))[0, 0, 0])
        for seed in range(300)
    ]
    assert 0.7 <= min(factors) < 0.71
    assert 0.99 < max(factors) <= 1.0


def test_joints_dropped_from_a_clip_are_missing_in_all_rows() -> None:
    score = np.ones((4, 17), np.float32)
    kept = np.stack(
        [drop_joints_of_clip(score, rng(seed), probability=0.25) for seed in range(300)]
    )
    assert (kept == kept[:, :1]).all()
    assert (kept == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_a_row_loses_one_of_the_joints_at_most() -> None:
    score = rng().uniform(0.1, 1.0, (2000, 17)).astype(np.float32)
    kept = drop_one_joint(score, LIMBS, rng(), probability=0.5)
    lost = kept != score
    assert not kept[lost].any()
    assert set(lost.sum(axis=1)) == {0, 1}
    assert lost.any(axis=1).mean() == pytest.approx(0.5, abs=0.04)
    shares = lost.sum(axis=0) / lost.sum()
    assert shares[LIMBS] == pytest.approx([1 / 8] * 8, abs=0.03)
    assert shares[LIMBS].sum() == pytest.approx(1.0)


def test_probability_0_keeps_all_and_1_takes_one_of_every_row() -> None:
    score = np.ones((3, 50, 17), np.float32)
    assert np.array_equal(drop_one_joint(score, LIMBS, rng(), probability=0.0), score)
    assert (drop_one_joint(score, LIMBS, rng(), probability=1.0) == 0).sum(axis=-1).min() == 1


@given(SEED, st.floats(0, 1), st.floats(0, 1))
def test_what_a_smaller_probability_drops_a_greater_does_too(seed: int, p: float, q: float) -> None:
    score = np.ones((20, 17), np.float32)
    for drop in (
        lambda value: drop_one_joint(score, LIMBS, rng(seed), probability=value),
        lambda value: drop_joints_of_clip(score, rng(seed), probability=value),
    ):
        assert (drop(max(p, q)) <= drop(min(p, q))).all()


def test_missing_joints_stay_missing_and_arguments_and_global_state_are_left_alone() -> None:
    xy, score = people()
    kept = xy.copy(), score.copy()
    state = np.random.get_state(legacy=False)  # noqa: NPY002

    def drawn() -> list[np.ndarray]:
        return [
            jitter_joints(xy, GROUPS, rng(5), beta=2, gamma=2),
            jitter_joints_independently(xy, rng(5), pixels=2),
            rotate_joints(
                xy, score, GROUPS, rng(5), centre=CENTRE, beta_degrees=9, gamma_degrees=9
            ),
            scale_joints(xy, rng(5), centre=CENTRE, limits=(0.5, 2.0)),
            drop_joints_of_clip(score, rng(5), probability=0.5),
            drop_one_joint(score, LIMBS, rng(5), probability=0.5),
        ]

    for first, second in zip(drawn(), drawn(), strict=True):
        assert np.array_equal(first, second, equal_nan=True)
        assert first.dtype == np.float32
        if first.ndim == 3:
            assert np.array_equal(np.isnan(first), np.isnan(xy))
        else:
            assert not first[score == 0].any()
        first[:] = 7
    assert np.array_equal(xy, kept[0], equal_nan=True)
    assert np.array_equal(score, kept[1])
    np.testing.assert_equal(np.random.get_state(legacy=False), state)  # noqa: NPY002


def test_nobody_may_be_changed() -> None:
    xy, score = np.zeros((0, 17, 2), np.float32), np.zeros((0, 17), np.float32)
    assert jitter_joints(xy, GROUPS, rng(), beta=2, gamma=2).shape == xy.shape
    turned = rotate_joints(
        xy, score, GROUPS, rng(), centre=CENTRE, beta_degrees=9.0, gamma_degrees=9.0
    )
    assert turned.shape == xy.shape
    assert drop_one_joint(score, LIMBS, rng(), probability=0.5).shape == score.shape


def test_what_makes_no_sense_is_refused() -> None:
    xy, score = people()
    with pytest.raises(ValueError, match="beta must be 0 or more whole px, got -1"):
        jitter_joints(xy, (), rng(), beta=-1, gamma=2)
    with pytest.raises(ValueError, match=r"groups must be joints from 0 to 16, got \(17,\)"):
        jitter_joints(xy, [(17,)], rng(), beta=0, gamma=1)
    with pytest.raises(ValueError, match="pixels must be 0 or more whole px, got -2"):
        jitter_joints_independently(xy, rng(), pixels=-2)
    with pytest.raises(ValueError, match="beta_degrees must be 0 or more degrees, got inf"):
        rotate_joints(
            xy, score, (), rng(), centre=CENTRE, beta_degrees=float("inf"), gamma_degrees=0
        )
    with pytest.raises(ValueError, match=r"xy_px must be \(5, 16, 2\), as score is, got"):
        rotate_joints(xy, score[:, 1:], (), rng(), centre=CENTRE, beta_degrees=1, gamma_degrees=0)
    with pytest.raises(ValueError, match=r"limits must be a rising range above 0, got \(0.0, 1.0"):
        scale_joints(xy, rng(), centre=CENTRE, limits=(0.0, 1.0))
    with pytest.raises(ValueError, match=r"xy_px must be \(..., K, 2\), got \(5, 17\)"):
        jitter_joints(score, (), rng(), beta=1, gamma=0)
    with pytest.raises(ValueError, match=r"probability must be from 0 to 1, got -0.5"):
        drop_one_joint(score, LIMBS, rng(), probability=-0.5)
    with pytest.raises(ValueError, match=r"joints must be some of 17, got none"):
        drop_one_joint(score, (), rng(), probability=0.5)
    with pytest.raises(ValueError, match=r"joints must be joints from 0 to 16, got \(3, 17\)"):
        drop_one_joint(score, (3, 17), rng(), probability=0.5)


@pytest.mark.parametrize("pixels", [2.5, 0.5, 2.0, np.nan, "2", None])
def test_pixels_are_whole(pixels: float) -> None:
    xy, _ = people()
    with pytest.raises(ValueError, match=r"beta must be 0 or more whole px, got"):
        jitter_joints(xy, (), rng(), beta=pixels, gamma=0)
    with pytest.raises(ValueError, match=r"pixels must be 0 or more whole px, got"):
        jitter_joints_independently(xy, rng(), pixels=pixels)


def test_lists_and_integers_are_as_good_as_arrays() -> None:
    xy = np.arange(34).reshape(1, 17, 2)
    moved = jitter_joints(xy.tolist(), (), rng(3), beta=2, gamma=0)
    assert np.array_equal(moved, jitter_joints(xy.astype(np.float32), (), rng(3), beta=2, gamma=0))
    assert drop_joints_of_clip([0.5, 1.0], rng(), probability=1.0).tolist() == [0, 0]
    assert drop_one_joint([0.5, 1.0], [1], rng(), probability=1.0).tolist() == [0.5, 0]
    turned = rotate_joints(
        xy.tolist(), [[1] * 17], (), rng(), centre=CENTRE, beta_degrees=0, gamma_degrees=0
    )
    assert np.array_equal(turned, xy)
    with pytest.raises(ValueError, match=r"score must be \(..., K\), got \(\)"):
        drop_joints_of_clip(0.5, rng(), probability=1.0)
