"""Accuracies, confusion and tables: small examples worked by hand, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.pipelines.metrics.classification import (
    ClassRow,
    ConfusedPair,
    class_accuracies,
    class_table,
    confused_pairs,
    confusion_matrix,
    in_top,
    majority_accuracy,
    mean_class_accuracy,
    top_k_accuracy,
)

# Classes a, b, c, d: five clips of a (one taken for b, two for c), two of b (both right), one of
# c (taken for a), none of d.
LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 2])
ANSWERS = np.array([0, 0, 1, 2, 2, 1, 1, 0])
CONFUSION = confusion_matrix(LABELS, ANSWERS, 4)


def test_the_confusion_matrix_has_a_row_for_each_class() -> None:
    assert CONFUSION.tolist() == [[2, 1, 2, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_accuracies_of_classes() -> None:
    np.testing.assert_array_equal(class_accuracies(CONFUSION), [2 / 5, 1, 0, np.nan])
    assert mean_class_accuracy(CONFUSION) == pytest.approx((2 / 5 + 1 + 0) / 3)
    assert majority_accuracy(CONFUSION) == 5 / 8


def test_confused_pairs_start_with_the_most_frequent() -> None:
    # Of the two that happened once, that of the smaller class is the greater share.
    pairs = (
        ConfusedPair(label=0, answer=2, count=2, share=2 / 5),
        ConfusedPair(label=2, answer=0, count=1, share=1.0),
        ConfusedPair(label=0, answer=1, count=1, share=1 / 5),
    )
    assert confused_pairs(CONFUSION) == pairs
    assert confused_pairs(CONFUSION, 1) == pairs[:1]


def test_the_table_has_a_row_for_each_class() -> None:
    assert class_table(CONFUSION) == (
        ClassRow(label=0, num_clips=5, accuracy=2 / 5, taken_for=2, num_taken=2),
        ClassRow(label=1, num_clips=2, accuracy=1.0, taken_for=None, num_taken=0),
        ClassRow(label=2, num_clips=1, accuracy=0.0, taken_for=0, num_taken=1),
        ClassRow(label=3, num_clips=0, accuracy=None, taken_for=None, num_taken=0),
    )


def test_of_equal_scores_those_of_the_first_classes_are_taken() -> None:
    scores = np.array([[0.2, 0.4, 0.2, 0.2]], np.float32)
    taken = [[bool(in_top(scores, [label], k)[0]) for label in range(4)] for k in (1, 2, 3, 4)]
    assert taken == [
        [False, True, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]


@given(st.integers(1, 20), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_top_k_grows_to_all_and_starts_with_the_answers(
    count: int, num_classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 3, (count, num_classes)).astype(np.float32)  # with many ties
    labels = rng.integers(0, num_classes, count)
    shares = [top_k_accuracy(scores, labels, k) for k in range(1, num_classes + 1)]
    assert shares[0] == np.mean(scores.argmax(axis=1) == labels)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    order = rng.permutation(count)
    assert top_k_accuracy(scores[order], labels[order], 1) == pytest.approx(shares[0])
