"""Random changes of joints: xy (..., K, 2) in px and score (..., K), one draw for a clip.

Rows are persons in frames. A missing joint (score 0) stays missing, and NaN
coordinates stay NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32
from posemill.transforms.affine import Point, after, move, move_joints, scale, turn
from posemill.transforms.arguments import floating, joint_numbers, real_array, whole_px
from posemill.transforms.augment.draws import (
    Groups,
    check_degrees,
    check_probability,
    checked_groups,
    each_alone,
    random_angle,
    random_factor,
    random_losses,
    random_shift,
)
from posemill.transforms.geometry.joints import checked_joints


def jitter_joints(
    xy_px: Float32, groups: Groups, rng: np.random.Generator, *, beta: int, gamma: int
) -> Float32:
    """`pose_aware_jitter` of joints (..., K, 2): the same shifts from an equal generator.

    Drawn afterwards, the joints give the jittered maps, but for what a border
    of the maps has cut off.

    Args:
        xy_px: in px of the maps.
        groups: joint numbers, see `skeletons.jitter_groups`; joints in none stay.
        rng: the only source of randomness.
        beta: greatest shift of all joints, whole px; 0 leaves the step out.
        gamma: greatest shift of each group, whole px; 0 leaves the step out.

    Raises:
        ValueError: a beta or gamma that is negative or no integer, or joints
            that do not exist.
    """
    moved = _checked_points(xy_px).copy()
    beta, gamma = whole_px(beta=beta, gamma=gamma)
    members = checked_groups(groups, moved.shape[-2])
    if beta:
        moved += _as_xy(random_shift(beta, rng))
    if gamma:
        for joints in members:
            moved[..., joints, :] += _as_xy(random_shift(gamma, rng))
    return moved


def jitter_joints_independently(
    xy_px: Float32, rng: np.random.Generator, *, pixels: int
) -> Float32:
    """`independent_jitter` of joints (..., K, 2): the same shifts from an equal generator."""
    xy_px = _checked_points(xy_px)
    whole_px(pixels=pixels)
    return jitter_joints(xy_px, each_alone(xy_px.shape[-2]), rng, beta=0, gamma=pixels)


def rotate_joints(
    xy_px: Float32,
    score: Float32,
    groups: Groups,
    rng: np.random.Generator,
    *,
    centre: Point,
    beta_degrees: float,
    gamma_degrees: float,
) -> Float32:
    """`pose_aware_rotation` of joints (..., K, 2): the same angles from an equal generator.

    Args:
        xy_px: (..., K, 2).
        score: (..., K); weighs the joints in a group's centre of mass over the clip.
        groups: joint numbers, see `skeletons.jitter_groups`; joints in none
            feel the first step only.
        rng: the only source of randomness.
        centre: (x, y) of the first step; (W - 1) / 2 and (H - 1) / 2 for maps.
        beta_degrees: greatest angle of everything; 0 leaves the step out.
        gamma_degrees: greatest angle of each group; 0 leaves the step out.

    Raises:
        ValueError: shapes that disagree, a negative beta or gamma, or joints
            that do not exist.
    """
    xy_px, score = checked_joints(xy_px, score)
    check_degrees(beta_degrees=beta_degrees, gamma_degrees=gamma_degrees)
    members = checked_groups(groups, score.shape[-1])
    whole = turn(centre, random_angle(beta_degrees, rng))
    moved = move_joints(whole, xy_px) if beta_degrees else xy_px.copy()
    if gamma_degrees:
        for joints in members:
            angle, points = random_angle(gamma_degrees, rng), xy_px[..., joints, :]
            x, y = move(whole, _centre_of_mass(points, score[..., joints], centre))
            matrix = after(turn((x, y), angle), whole)
            moved[..., joints, :] = move_joints(matrix, points)
    return moved


def scale_joints(
    xy_px: Float32,
    rng: np.random.Generator,
    *,
    centre: Point,
    limits: tuple[float, float],
) -> Float32:
    """Joints (..., 2) nearer to `centre`, (x, y), or further, by a factor uniform in `limits`.

    PARNet's published code scales skeletons by 0.7 to 1.

    Raises:
        ValueError: limits that do not rise or are not above 0.
    """
    points = _checked_points(xy_px)
    return move_joints(scale(centre, random_factor(limits, rng)), points)


def drop_joints_of_clip(score: Float32, rng: np.random.Generator, *, probability: float) -> Float32:
    """`drop_joints` of scores (..., K): the same joints, 0 in all rows, from an equal generator.

    Raises:
        ValueError: a probability outside [0, 1].
    """
    kept = _checked_score(score).copy()
    kept[..., random_losses(kept.shape[-1], probability, rng)] = 0
    return kept


def drop_one_joint(
    score: Float32, joints: Sequence[int], rng: np.random.Generator, *, probability: float
) -> Float32:
    """Scores (..., K) where each row has, with `probability`, lost one of `joints` at random.

    A row is a person in a frame; with the eight elbows, wrists, knees and
    ankles this is PoseConv3D's test of robustness, table 4. From an equal
    generator, the losses of a smaller probability are among those of a greater.

    Raises:
        ValueError: a probability outside [0, 1], or no joint or one that does
            not exist.
    """
    check_probability(probability)
    score = _checked_score(score)
    num_keypoints, rows = score.shape[-1], score.shape[:-1]
    some = joint_numbers("joints", joints, num_keypoints)
    if not some:
        raise ValueError(f"joints must be some of {num_keypoints}, got none")
    chosen = np.asarray(some)[rng.integers(len(some), size=rows)]
    lost = rng.random(rows) < probability
    dropped = lost[..., None] & (chosen[..., None] == np.arange(num_keypoints))
    return np.where(dropped, np.float32(0.0), score)


def _as_xy(step: tuple[int, int]) -> Float32:
    down, right = step
    return np.array([right, down], np.float32)


def _centre_of_mass(xy_px: Float32, score: Float32, otherwise: Point) -> npt.NDArray[np.float64]:
    """(x, y) of the detected joints, or `otherwise` where there are none."""
    seen = (score > 0) & np.isfinite(xy_px).all(axis=-1)
    if not seen.any():
        return np.array(otherwise, np.float64)
    return np.average(xy_px[seen].astype(np.float64), axis=0, weights=score[seen])


def _checked_points(xy_px: Float32) -> Float32:
    points = floating("xy_px", xy_px)
    if points.ndim < 2 or points.shape[-1] != 2:
        raise ValueError(f"xy_px must be (..., K, 2), got {points.shape}")
    return points


def _checked_score(score: Float32) -> Float32:
    checked = real_array("score", score)
    if checked.ndim < 1:
        raise ValueError(f"score must be (..., K), got {checked.shape}")
    return checked
