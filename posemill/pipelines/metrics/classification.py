"""Figures of answers where a clip shows one class: accuracies, confusion, what guessing gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, Int64

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """How often clips of one class were taken for another one."""

    label: int
    answer: int
    count: int
    share: float
    """Of all clips of the class `label`."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class in a table of all."""

    label: int
    num_clips: int
    accuracy: float | None
    """The share of its clips that were recognised; None without clips."""
    taken_for: int | None
    """The class that its other clips were taken for most often; None where there are none."""
    num_taken: int
    """How often."""


def in_top(scores: Float32, labels: Sequence[int] | Int64, k: int) -> npt.NDArray[np.bool_]:
    """(N,) whether each clip's class is among its `k` of greatest score.

    Of classes with equal scores those that come first count as greater, so that
    the first of the top is `argmax`.

    Args:
        scores: (N, M). labels: (N,), each in 0..M-1.
    """
    place = np.asarray(labels, np.int64)[:, None]
    own = np.take_along_axis(scores, place, axis=1)
    before = np.arange(scores.shape[1]) < place
    ahead = (scores > own) | ((scores == own) & before)
    found: npt.NDArray[np.bool_] = ahead.sum(axis=1) < k
    return found


def top_k_accuracy(scores: Float32, labels: Sequence[int] | Int64, k: int) -> float:
    """The share of clips whose class is among the `k` of greatest score, ties as in `in_top`."""
    return float(in_top(scores, labels, k).mean())


def confusion_matrix(labels: Int64, answers: Int64, num_classes: int) -> Int64:
    """(M, M) counts: row = class of the clip, column = class that was answered."""
    counts = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(counts, (labels, answers), 1)
    return counts


def class_accuracies(confusion: Int64) -> Float64:
    """(M,) the share of each class's clips that were recognised, NaN without clips."""
    totals = confusion.sum(axis=1)
    shares = np.full(len(totals), np.nan)
    np.divide(confusion.diagonal(), totals, out=shares, where=totals > 0)
    return shares


def mean_class_accuracy(confusion: Int64) -> float:
    """The mean of `class_accuracies`, over the classes that have clips."""
    return float(np.nanmean(class_accuracies(confusion)))


def majority_accuracy(confusion: Int64) -> float:
    """The accuracy of always naming the most frequent class of these clips."""
    totals = confusion.sum(axis=1)
    return float(totals.max() / totals.sum())


def confused_pairs(confusion: Int64, limit: int | None = None) -> tuple[ConfusedPair, ...]:
    """The mistakes that were made, the most frequent first, at most `limit`.

    Equally frequent ones are ordered by their share of the class, then by class and answer.
    """
    totals = confusion.sum(axis=1)
    pairs = [
        ConfusedPair(label, answer, int(count), float(count / totals[label]))
        for (label, answer), count in np.ndenumerate(confusion)
        if count and label != answer
    ]
    pairs.sort(key=lambda pair: (-pair.count, -pair.share, pair.label, pair.answer))
    return tuple(pairs[:limit])


def class_table(confusion: Int64) -> tuple[ClassRow, ...]:
    """A row for each class, in order."""
    rows = []
    for label, (counts, accuracy) in enumerate(
        zip(confusion, class_accuracies(confusion), strict=True)
    ):
        others = counts.copy()
        others[label] = 0
        worst = int(others.argmax())
        rows.append(
            ClassRow(
                label=label,
                num_clips=int(counts.sum()),
                accuracy=None if np.isnan(accuracy) else float(accuracy),
                taken_for=worst if others[worst] else None,
                num_taken=int(others[worst]),
            )
        )
    return tuple(rows)
