"""Joints changed and then drawn, against maps drawn and then changed, from equal generators."""

import numpy as np
from blobs import blobs
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.augment import (
    drop_joints,
    drop_joints_of_clip,
    flip_maps,
    flip_part_fields,
    independent_jitter,
    jitter_joints,
    jitter_joints_independently,
    pose_aware_jitter,
    pose_aware_rotation,
    random_scale,
    rotate_joints,
    scale_joints,
)
from posemill.transforms.geometry import flip_joints
from posemill.transforms.rasterize import draw_joints, draw_part_fields
from posemill.transforms.skeletons import COCO_17, jitter_groups, limb_mirror

SEED = st.integers(0, 2**32 - 1)
GROUPS = jitter_groups(COCO_17)
SIZE_HW = (48, 60)
CENTRE = (29.5, 23.5)
alike = settings(max_examples=25)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def people(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three rows, some joints missing, all far from the borders."""
    draws = rng(seed)
    # In sixteenths of a pixel, so that whole steps and flips of them are exact.
    xy = (draws.integers([352, 288], [608, 480], (3, 17, 2)) / 16).astype(np.float32)
    score = draws.uniform(0.1, 1.0, (3, 17)).astype(np.float32)
    score[draws.random((3, 17)) < 0.1] = 0.0
    return xy, score


def maps(xy: np.ndarray, score: np.ndarray, sigma: float = 1.0) -> np.ndarray:
    return blobs(xy, score, SIZE_HW, sigma).astype(np.float32)


@alike
@given(SEED, st.integers(0, 6), st.integers(0, 3))
def test_pose_aware_jitter(seed: int, beta: int, gamma: int) -> None:
    xy, score = people(seed)
    moved = jitter_joints(xy, GROUPS, rng(seed), beta=beta, gamma=gamma)
    shifted = pose_aware_jitter(maps(xy, score), GROUPS, rng(seed), beta=beta, gamma=gamma)
    # What lies 9 px and more from a joint is below exp(-40): beyond the borders is nothing.
    assert np.abs(maps(moved, score) - shifted).max() < 1e-5


@alike
@given(SEED, st.integers(0, 6))
def test_independent_jitter(seed: int, pixels: int) -> None:
    xy, score = people(seed)
    moved = jitter_joints_independently(xy, rng(seed), pixels=pixels)
    shifted = independent_jitter(maps(xy, score), rng(seed), pixels=pixels)
    assert np.abs(maps(moved, score) - shifted).max() < 1e-5


@alike
@given(SEED, st.floats(0, 40), st.floats(0, 30))
def test_pose_aware_rotation(seed: int, beta: float, gamma: float) -> None:
    xy, score = people(seed)
    angles = {"beta_degrees": beta, "gamma_degrees": gamma}
    moved = rotate_joints(xy, score, GROUPS, rng(seed), centre=CENTRE, **angles)
    turned = pose_aware_rotation(maps(xy, score, 3.0), GROUPS, rng(seed), **angles)
    # Gaussians of sigma 3 lose at most 1/8 of their curvature, 1/9, to interpolation in x and y.
    assert np.abs(maps(moved, score, 3.0) - turned).max() < 0.035


@alike
@given(SEED)
def test_scale(seed: int) -> None:
    xy, score = people(seed)
    moved = scale_joints(xy, rng(seed), centre=CENTRE, limits=(0.8, 1.2))
    factor = float(rng(seed).uniform(0.8, 1.2))
    scaled = random_scale(maps(xy, score, 3.0), rng(seed), limits=(0.8, 1.2))
    # The maps' Gaussians grow with the picture.
    assert np.abs(maps(moved, score, 3.0 * factor) - scaled).max() < 0.035


@alike
@given(SEED, st.floats(0, 1))
def test_dropped_joints(seed: int, probability: float) -> None:
    xy, score = people(seed)
    kept = drop_joints_of_clip(score, rng(seed), probability=probability)
    dropped = drop_joints(maps(xy, score), rng(seed), probability=probability)
    assert np.array_equal(maps(xy, kept), dropped)


@alike
@given(SEED)
def test_flips(seed: int) -> None:
    xy, score = people(seed)
    flipped = flip_maps(maps(xy, score), COCO_17.mirror)
    assert np.abs(maps(*flip_joints(xy, score, 60, COCO_17.mirror)) - flipped).max() < 1e-5


def drawn(xy: np.ndarray, score: np.ndarray) -> np.ndarray:
    """As `maps`, by the rasteriser: a frame for each row."""
    out = np.zeros((17, 3, *SIZE_HW), np.float32)
    draw_joints(xy, score, np.arange(4), out, sigma=1.0)
    return out


@alike
@given(SEED, st.integers(0, 6), st.integers(0, 3))
def test_jittered_joints_are_drawn_as_jittered_maps(seed: int, beta: int, gamma: int) -> None:
    xy, score = people(seed)
    moved = jitter_joints(xy, GROUPS, rng(seed), beta=beta, gamma=gamma)
    shifted = pose_aware_jitter(drawn(xy, score), GROUPS, rng(seed), beta=beta, gamma=gamma)
    assert np.abs(drawn(moved, score) - shifted).max() < 1e-6


@alike
@given(SEED)
def test_flipped_joints_are_drawn_as_flipped_maps_and_fields(seed: int) -> None:
    xy, score = people(seed)
    flipped = flip_joints(xy, score, 60, COCO_17.mirror)
    away = np.abs(drawn(*flipped) - flip_maps(drawn(xy, score), COCO_17.mirror))
    assert away.max() < 1e-6
    fields, of_flipped = np.zeros((2, 34, 3, *SIZE_HW), np.float32)
    draw_part_fields(xy, score, np.arange(4), COCO_17.limbs, fields)
    draw_part_fields(*flipped, np.arange(4), COCO_17.limbs, of_flipped)
    assert np.abs(of_flipped - flip_part_fields(fields, limb_mirror(COCO_17))).max() < 1e-5
