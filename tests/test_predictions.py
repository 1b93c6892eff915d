"""What predictions may hold, and how they are picked and compared."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_predictions import predictions

LOGITS = [[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]]


def made(**changes: Any) -> Any:
    return predictions(LOGITS, [2, 0], **changes)


def test_answers_are_the_likeliest_classes_and_the_first_of_equal_ones() -> None:
    assert made().answers.tolist() == [2, 0]
    assert predictions([[1, 1, 0]], [0]).answers.tolist() == [0]


def test_labels_as_an_array() -> None:
    several = predictions(LOGITS, [(2, 0), ()], multi_label=True)
    assert several.positives.tolist() == [[True, False, True], [False, False, False]]
    assert several.first_labels.tolist() == [2, -1]


def test_arrays_cannot_be_changed_behind_its_back() -> None:
    empty = np.array([False, True])
    found = made(empty=empty)
    empty[0] = True
    assert found.empty.tolist() == [False, True]
    with pytest.raises(ValueError, match="read-only"):
        found.logits[0, 0] = 1


def test_equality_compares_the_arrays() -> None:
    assert made() == made()
    assert made() != made(empty=[True, False])
    assert made() != made(boxes=[(0, 0, 1, 1)] * 2, times=[0, 1])
    assert made() != "predictions"


def test_clips_are_picked() -> None:
    picked = made(empty=[True, False]).pick([1, 0])
    assert picked.clip_ids == ("c1", "c0")
    assert picked.labels == ((0,), (2,))
    assert picked.empty.tolist() == [False, True]
    assert picked.pick([1, 0]) == made(empty=[True, False])
    assert made(empty=[True, False]).without_empty() == made().pick([1])
    assert made(empty=[True, True]).without_empty() is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("a", "b", "b")}, "classes, each once"),
        ({"classes": ("a", "b")}, "label of .2,. is not one of 2 classes"),
        ({"clip_ids": ("x", "x")}, "clip x has two predictions"),
        ({"clip_ids": ("x",)}, r"video_ids must have the shape \(1,\), got \(2,\)"),
        ({"labels": ((0,),)}, "labels must have the shape"),
        ({"labels": ((0, 0), (1,))}, "each of its classes once"),
        ({"labels": ((), (1,))}, "one at least"),
        ({"labels": ((-1,), (1,))}, "is not one of 3 classes"),
        ({"empty": [True]}, "empty must have the shape"),
        ({"logits": [[0, 1], [1, 0]]}, r"logits must have the shape \(2, 3\)"),
        ({"logits": [[0, 1, np.nan], [1, 0, 0]]}, "clip c0 and 0 others lack logits that are"),
        ({"probabilities": [[1, 0, 0], [2, -1, 0]]}, "clip c1 .* between 0 and 1"),
        ({"probabilities": [[1, 0, 0], [0.5, 0.4, 0]]}, "clip c1 .* sum to 1"),
        ({"boxes": [(0, 0, 1, 1)] * 2}, "boxes and times, or neither"),
        ({"boxes": [(0, 0, 1, 1), (0, 0.5, 1, 0.5)], "times": [0, 0]}, "clip c1 .* with an area"),
        ({"boxes": [(0, 0, 1, 1)] * 2, "times": [0, np.inf]}, "clip c1 .* a time"),
        ({"num_unavailable": -1}, "num_unavailable >= 0"),
        ({"num_views": 0}, "num_views >= 1"),
    ],
)
def test_impossible_predictions_are_refused(changes: Any, message: str) -> None:
    good = made()
    with pytest.raises(ValueError, match=message):
        replace(good, **changes)


def test_no_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one clip"):
        made().pick([])
