"""All figures of a model's answers, as they are printed, written and averaged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from posemill.pipelines.metrics.ava import frame_average_precisions_of
from posemill.pipelines.metrics.average_precision import (
    Float64,
    average_precisions,
    chance_precision,
    mean_over_classes,
)
from posemill.pipelines.metrics.classification import (
    ClassRow,
    ConfusedPair,
    class_accuracies,
    class_table,
    confused_pairs,
    confusion_matrix,
    majority_accuracy,
    mean_class_accuracy,
    top_k_accuracy,
)
from posemill.predictions import Predictions
from posemill.schema import Int64

FIGURES = {
    "accuracy": "accuracy",
    "top5_accuracy": "top-5",
    "mean_class_accuracy": "mean over classes",
    "mean_average_precision": "mAP",
    "frame_mean_average_precision": "frame mAP",
}
"""Of `Evaluation.figures`, by what they are called in a line."""
_TOP = 5
_NUM_PAIRS = 20
"""Of confused classes, in the written figures."""


@dataclass(frozen=True)
class Evaluation:
    """The figures of predictions.

    Where clips show one class those are accuracies and the mean average precision; where they
    may show several, the mean average precision; where they are of persons in boxes, the frame
    mAP as well. What needs one class raises a ValueError where clips may show several.
    """

    predictions: Predictions

    @property
    def model(self) -> str:
        return self.predictions.model

    @property
    def split(self) -> str:
        return self.predictions.split

    @property
    def subset(self) -> str:
        return self.predictions.subset

    @property
    def classes(self) -> tuple[str, ...]:
        return self.predictions.classes

    @property
    def num_unavailable(self) -> int:
        return self.predictions.num_unavailable

    @property
    def num_empty(self) -> int:
        return int(self.predictions.empty.sum())

    @cached_property
    def confusion(self) -> Int64:
        """(M, M): how many clips of the row's class were taken for the column's."""
        self._require_one_class("confusion matrix")
        found = self.predictions
        return confusion_matrix(found.first_labels, found.answers, found.num_classes)

    @property
    def accuracy(self) -> float:
        """The share of right answers, empty clips among them."""
        return self._top_k(1)

    @property
    def top5_accuracy(self) -> float | None:
        """The share of clips whose class is among the five likeliest; None of five classes."""
        return self._top_k(_TOP) if len(self.classes) > _TOP else None

    @property
    def class_accuracies(self) -> tuple[float | None, ...]:
        """For each class, the share of its clips that were recognised; None without clips."""
        return _none_for_nan(class_accuracies(self.confusion))

    @property
    def mean_class_accuracy(self) -> float:
        """The mean of `class_accuracies`, over the classes that have clips."""
        return mean_class_accuracy(self.confusion)

    @property
    def majority(self) -> float:
        """The accuracy of always naming the most frequent class of the subset."""
        return majority_accuracy(self.confusion)

    @property
    def confused_pairs(self) -> tuple[ConfusedPair, ...]:
        """Every mistake that was made, the most frequent first."""
        return confused_pairs(self.confusion)

    @property
    def class_table(self) -> tuple[ClassRow, ...]:
        return class_table(self.confusion)

    @cached_property
    def _average_precisions(self) -> Float64:
        return average_precisions(self.predictions.probabilities, self.predictions.positives)

    @property
    def average_precisions(self) -> tuple[float | None, ...]:
        """For each class, of all clips ranked by its probability; None without clips."""
        return _none_for_nan(self._average_precisions)

    @property
    def mean_average_precision(self) -> float | None:
        """The mean of `average_precisions`; for whole Charades videos the data set's video mAP."""
        return mean_over_classes(self._average_precisions)

    @cached_property
    def frame_mean_average_precision(self) -> float | None:
        """AVA's figure; None where clips are not of persons in boxes."""
        if self.predictions.boxes is None:
            return None
        return mean_over_classes(frame_average_precisions_of(self.predictions))

    @property
    def chance(self) -> float:
        """What guessing gives: the accuracy 1 / M, or the mean average precision."""
        if self.predictions.multi_label:
            return chance_precision(self.predictions.positives)
        return 1.0 / len(self.classes)

    @property
    def without_empty(self) -> Evaluation | None:
        """The figures of the clips with somebody in them; None without any."""
        seen = self.predictions.without_empty()
        return None if seen is None else Evaluation(seen)

    @property
    def accuracy_without_empty(self) -> float | None:
        """The share of right answers for clips with somebody in them; None without any."""
        return None if self.without_empty is None else self.without_empty.accuracy

    def figures(self) -> dict[str, float]:
        """What can be compared and averaged, by name: those that these predictions have."""
        figures = {"mean_average_precision": self.mean_average_precision}
        if not self.predictions.multi_label:
            figures = {
                "accuracy": self.accuracy,
                "top5_accuracy": self.top5_accuracy,
                "mean_class_accuracy": self.mean_class_accuracy,
                **figures,
            }
        figures["frame_mean_average_precision"] = self.frame_mean_average_precision
        return {name: value for name, value in figures.items() if value is not None}

    def as_dict(self) -> dict[str, Any]:
        """All figures, as JSON has them; the predictions are left out."""
        seen = self.without_empty
        told = {
            "model": self.model,
            "split": self.split,
            "subset": self.subset,
            "made_with": dict(self.predictions.made_with),
            "clips": len(self.predictions),
            "views": self.predictions.num_views,
            "multi_label": self.predictions.multi_label,
            **self.figures(),
            "chance": self.chance,
            "empty_clips": self.num_empty,
            "without_empty_clips": None if seen is None else seen.figures(),
            "clips_without_features": self.num_unavailable,
            "classes": list(self.classes),
            "class_average_precisions": list(self.average_precisions),
        }
        return told if self.predictions.multi_label else {**told, **self._one_class_as_dict()}

    def summary(self) -> str:
        """The figures in one line."""
        told = ", ".join(f"{FIGURES[name]} {value:.1%}" for name, value in self.figures().items())
        return (
            f"{told}, chance {self.chance:.1%}, on {len(self.predictions)} clips of {self.subset}"
        )

    def _one_class_as_dict(self) -> dict[str, Any]:
        names = self.classes
        return {
            "majority": self.majority,
            "class_accuracies": list(self.class_accuracies),
            "class_table": [
                {
                    **asdict(row),
                    "label": names[row.label],
                    "taken_for": None if row.taken_for is None else names[row.taken_for],
                }
                for row in self.class_table
            ],
            "confused_pairs": [
                {**asdict(pair), "label": names[pair.label], "answer": names[pair.answer]}
                for pair in self.confused_pairs[:_NUM_PAIRS]
            ],
            "confusion": self.confusion.tolist(),
        }

    def _top_k(self, k: int) -> float:
        self._require_one_class("accuracy")
        return top_k_accuracy(self.predictions.probabilities, self.predictions.first_labels, k)

    def _require_one_class(self, figure: str) -> None:
        if self.predictions.multi_label:
            raise ValueError(f"clips that may show several classes have no {figure}")


def _none_for_nan(figures: Float64) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(figure) else float(figure) for figure in figures)
