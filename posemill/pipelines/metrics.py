"""What a model got right, clip by clip, and the figures drawn from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from posemill.schema import Int64


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's answer for one clip."""

    clip_id: str
    video_id: str
    label: int
    predicted: int
    empty: bool
    """Nobody was found in the clip: the answer is that to an input of zeros."""
    probabilities: tuple[float, ...]
    """Of every class; they sum to 1."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's answers for all clips of a subset.

    Raises:
        ValueError: no prediction, or a label that is no class.
    """

    model: str
    split: str
    subset: str
    classes: tuple[str, ...]
    predictions: tuple[Prediction, ...]
    num_unavailable: int
    """Clips of the subset that have no features (a missing or unreadable video): not scored."""

    def __post_init__(self) -> None:
        if not self.predictions:
            raise ValueError("an evaluation needs at least one prediction")
        for prediction in self.predictions:
            if not 0 <= prediction.label < len(self.classes):
                raise ValueError(
                    f"clip {prediction.clip_id}: label {prediction.label} is not one of "
                    f"{len(self.classes)} classes"
                )

    @property
    def confusion(self) -> Int64:
        """(C, C): how many clips of the row's class were taken for the column's."""
        return confusion_matrix(
            [prediction.label for prediction in self.predictions],
            [prediction.predicted for prediction in self.predictions],
            len(self.classes),
        )

    @property
    def num_empty(self) -> int:
        return sum(prediction.empty for prediction in self.predictions)

    @property
    def accuracy(self) -> float:
        """The share of right answers, empty clips among them."""
        return _accuracy(self.predictions)

    @property
    def accuracy_without_empty(self) -> float | None:
        """The share of right answers for clips with somebody in them; None without any."""
        seen = tuple(prediction for prediction in self.predictions if not prediction.empty)
        return _accuracy(seen) if seen else None

    @property
    def mean_class_accuracy(self) -> float:
        """The mean of `class_accuracies`, over the classes that have clips."""
        return float(np.mean([share for share in self.class_accuracies if share is not None]))

    @property
    def class_accuracies(self) -> tuple[float | None, ...]:
        """For each class, the share of its clips that were recognised; None without clips."""
        confusion = self.confusion
        totals = confusion.sum(axis=1)
        return tuple(
            float(confusion[label, label] / total) if total else None
            for label, total in enumerate(totals)
        )

    @property
    def chance(self) -> float:
        """The accuracy of guessing: 1 / C."""
        return 1.0 / len(self.classes)

    @property
    def majority(self) -> float:
        """The accuracy of always naming the most frequent class of the subset."""
        return float(self.confusion.sum(axis=1).max() / len(self.predictions))

    def as_dict(self) -> dict[str, Any]:
        """All figures, as JSON has them; the predictions are left out."""
        return {
            "model": self.model,
            "split": self.split,
            "subset": self.subset,
            "clips": len(self.predictions),
            "accuracy": self.accuracy,
            "mean_class_accuracy": self.mean_class_accuracy,
            "chance": self.chance,
            "majority": self.majority,
            "empty_clips": self.num_empty,
            "accuracy_without_empty_clips": self.accuracy_without_empty,
            "clips_without_features": self.num_unavailable,
            "classes": list(self.classes),
            "class_accuracies": list(self.class_accuracies),
            "confusion": self.confusion.tolist(),
        }


def confusion_matrix(labels: list[int], predicted: list[int], num_classes: int) -> Int64:
    """(C, C) counts: row = class of the clip, column = class that was answered."""
    counts = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(counts, (np.asarray(labels, np.int64), np.asarray(predicted, np.int64)), 1)
    return counts


def _accuracy(predictions: tuple[Prediction, ...]) -> float:
    right = sum(prediction.label == prediction.predicted for prediction in predictions)
    return right / len(predictions)
