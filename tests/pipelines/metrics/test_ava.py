"""AVA's frame mAP: matching and interpolation by hand, the limit of a frame, invariances."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_predictions import predictions

from posemill.pipelines.metrics.ava import (
    Detections,
    TrueBoxes,
    frame_average_precisions,
    frame_average_precisions_of,
    intersection_over_union,
)

LEFT, RIGHT = (0.0, 0.0, 0.4, 1.0), (0.6, 0.0, 1.0, 1.0)


def boxes(*rows: Any) -> Any:
    return np.array(rows, np.float32).reshape(-1, 4)


def score(found: Any, there: Any, **options: Any) -> list[float]:
    """Of one class: found = (frame, box, score) each, there = (frame, box) each."""
    detections = Detections(
        [frame for frame, _, _ in found],
        boxes(*(box for _, box, _ in found)),
        np.array([value for _, _, value in found], np.float32).reshape(-1, 1),
    )
    truth = TrueBoxes(
        [frame for frame, _ in there],
        boxes(*(box for _, box in there)),
        np.ones((len(there), 1), bool),
    )
    return frame_average_precisions(detections, truth, **options).tolist()


def test_overlap_is_intersection_over_union() -> None:
    one = boxes((0, 0, 0.5, 0.5))
    others = boxes((0, 0, 0.5, 0.5), (0.25, 0, 0.75, 0.5), (0.5, 0.5, 1, 1))
    np.testing.assert_allclose(intersection_over_union(one, others), [[1, 1 / 3, 0]])


def test_a_box_that_overlaps_by_half_is_right() -> None:
    truth = [("f", (0.0, 0.0, 0.5, 1.0))]
    assert score([("f", (0.0, 0.0, 0.25, 1.0), 0.9)], truth) == [1.0]  # .25 of .5
    assert score([("f", (0.0, 0.0, 0.24, 1.0), 0.9)], truth) == [0.0]
    assert score([("other", (0.0, 0.0, 0.5, 1.0), 0.9)], truth) == [0.0]
    assert score([], truth) == [0.0]


def test_a_person_is_found_once() -> None:
    # The second on the left is wrong, though it fits as well: right, wrong, right of 2 people.
    found = [("f", LEFT, 0.9), ("f", LEFT, 0.8), ("f", RIGHT, 0.7)]
    # Recall 1/2 at precision 1, recall 1 at precision 2/3.
    assert score(found, [("f", LEFT), ("f", RIGHT)]) == pytest.approx([1 / 2 + 1 / 2 * 2 / 3])


def test_precision_is_raised_to_that_at_greater_recall() -> None:
    # wrong (0/1), right (1/2), right (2/3): the first step counts with 2/3, too. One of 3 is
    # never found.
    found = [("g", LEFT, 0.9), ("f", LEFT, 0.8), ("f", RIGHT, 0.7)]
    truth = [("f", LEFT), ("f", RIGHT), ("h", LEFT)]
    assert score(found, truth) == pytest.approx([2 / 3 * 2 / 3])


def test_only_the_greatest_pairs_of_a_frame_count() -> None:
    found = [("f", LEFT, 0.9), ("f", RIGHT, 0.8), ("g", RIGHT, 0.1)]
    truth = [("f", LEFT), ("f", RIGHT), ("g", RIGHT)]
    assert score(found, truth) == [1.0]
    assert score(found, truth, max_per_frame=1) == pytest.approx([2 / 3])
    # Of equal ones the leftmost counts; the other one does not find the person in its stead.
    shifted = (0.05, 0.0, 0.45, 1.0)
    equal = [("f", shifted, 0.5), ("f", LEFT, 0.5)]
    assert score(equal, [("f", LEFT)], max_per_frame=1) == [1.0]


def test_a_class_that_is_nowhere_has_no_figure() -> None:
    detections = Detections(["f"], boxes(LEFT), np.array([[0.5, 0.5]], np.float32))
    found = frame_average_precisions(
        detections, TrueBoxes(["f"], boxes(LEFT), np.array([[True, False]]))
    )
    np.testing.assert_array_equal(found, [1.0, np.nan])
    with pytest.raises(ValueError, match=r"1 frames, boxes of shape \(2, 4\)"):
        Detections(["f"], boxes(LEFT, RIGHT), np.zeros((1, 2), np.float32))


def test_answers_for_people_in_boxes_are_their_own_detections() -> None:
    made = predictions(
        [[2, -1], [1, 3], [-2, 4]],
        [(0,), (0, 1), (1,)],
        multi_label=True,
        video_ids=("v", "v", "v"),
        boxes=[LEFT, RIGHT, LEFT],
        times=[1, 1, 2],
    )
    assert frame_average_precisions_of(made).tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="needs predictions with boxes"):
        frame_average_precisions_of(predictions([[1, 0]], [0]))


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_people_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 12
    corners = rng.random((count, 2, 2)).astype(np.float32)
    low, high = corners.min(axis=1), corners.max(axis=1) + np.float32(0.01)
    made = predictions(
        rng.integers(-2, 3, (count, 3)),
        [tuple(np.flatnonzero(rng.random(3) < 0.5)) for _ in range(count)],
        multi_label=True,
        video_ids=("v",) * count,
        boxes=np.clip(np.concatenate([low, high], axis=1), 0, 1),
        times=rng.integers(0, 4, count),
    )
    order = rng.permutation(count)
    np.testing.assert_allclose(
        frame_average_precisions_of(made), frame_average_precisions_of(made.pick(order))
    )
