"""Overlaps of boxes by hand, and suppression against one that follows its definition."""

import numpy as np
import pytest

from posemill.models.estimators.onnx.boxes import overlaps, suppress
from posemill.schema import Float32


def boxes(*corners: tuple[float, float, float, float]) -> Float32:
    return np.array(corners, np.float32)


def test_overlap_is_the_shared_area_over_the_joint_area() -> None:
    """A square of 4 x 4 with itself, half of itself, a quarter beside it, and apart."""
    square = boxes((0, 0, 4, 4))[0]
    others = boxes((0, 0, 4, 4), (0, 0, 4, 2), (2, 2, 6, 6), (4, 0, 8, 4), (9, 9, 10, 10))
    shared, joint = np.array([16, 8, 4, 0, 0]), np.array([16, 16, 28, 32, 17])
    np.testing.assert_allclose(overlaps(square, others), shared / joint, rtol=1e-6)


def test_a_box_without_area_overlaps_nothing() -> None:
    point, turned = boxes((1, 1, 1, 1)), boxes((3, 3, 0, 0))
    assert overlaps(point[0], point) == 0
    assert overlaps(turned[0], boxes((0, 0, 4, 4))) == 0


def test_the_best_of_those_that_overlap_stays_and_one_apart_too() -> None:
    """The second overlaps the third by 14 / 18 of the joint area."""
    three = boxes((20, 0, 24, 4), (0, 0, 4, 4), (0, 0.5, 4, 4.5))
    score = np.array([0.5, 0.6, 0.9], np.float32)
    np.testing.assert_array_equal(suppress(three, score, 0.7), [2, 0])
    np.testing.assert_array_equal(suppress(three, score, 0.8), [2, 1, 0])


def test_a_suppressed_box_suppresses_nobody() -> None:
    """In a row that moves by a quarter, the first takes the second, which had the third."""
    row = boxes((0, 0, 4, 4), (1, 0, 5, 4), (2, 0, 6, 4))
    score = np.array([0.9, 0.8, 0.7], np.float32)
    np.testing.assert_array_equal(suppress(row, score, 0.5), [0, 2])


def test_of_equal_scores_the_earlier_is_the_better() -> None:
    same = np.repeat(boxes((0, 0, 4, 4)), 3, axis=0)
    np.testing.assert_array_equal(suppress(same, np.full(3, 0.5, np.float32), 0.5), [0])


def test_nobody_is_nobody() -> None:
    assert len(suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.5)) == 0


def reference_overlap(one: Float32, other: Float32) -> float:
    width = max(min(one[2], other[2]) - max(one[0], other[0]), 0)
    height = max(min(one[3], other[3]) - max(one[1], other[1]), 0)
    areas = sum(max(box[2] - box[0], 0) * max(box[3] - box[1], 0) for box in (one, other))
    shared = width * height
    return float(shared / (areas - shared)) if shared else 0.0


@pytest.mark.parametrize("seed", range(20))
def test_suppression_keeps_whom_nobody_better_that_is_kept_overlaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 20, (40, 2))
    crowd = np.concatenate([corner, corner + rng.uniform(1, 15, (40, 2))], 1).astype(np.float32)
    score = rng.choice(np.linspace(0.1, 0.9, 9), 40).astype(np.float32)
    kept: list[int] = []
    for number in sorted(range(40), key=lambda number: -score[number]):
        if all(reference_overlap(crowd[number], crowd[other]) <= 0.45 for other in kept):
            kept.append(number)
    np.testing.assert_array_equal(suppress(crowd, score, 0.45), kept)
