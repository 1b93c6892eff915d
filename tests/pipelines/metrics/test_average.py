"""Figures of several splits averaged, by hand."""

import pytest
from made_predictions import answers, predictions

from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.metrics.average import average


def of_accuracy(right: int) -> Evaluation:
    """Four clips of two classes, of which so many are recognised."""
    labels = [0, 0, 1, 1]
    chosen = [label if number < right else 1 - label for number, label in enumerate(labels)]
    return Evaluation(answers(chosen, labels, 2))


def test_mean_and_standard_deviation_of_the_sample() -> None:
    accuracy, *others = average([of_accuracy(2), of_accuracy(3), of_accuracy(4)])
    assert (accuracy.name, accuracy.values) == ("accuracy", (0.5, 0.75, 1.0))
    assert accuracy.mean == 0.75
    assert accuracy.spread == pytest.approx(0.25)  # sqrt((.25^2 + 0 + .25^2) / 2)
    assert [each.name for each in others] == ["mean_class_accuracy", "mean_average_precision"]


def test_one_evaluation_has_no_spread() -> None:
    assert average([of_accuracy(3)])[0].spread is None


def test_what_cannot_be_averaged_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        average([])
    with pytest.raises(ValueError, match="one has the classes a, b, another a, b, c; expected"):
        average([of_accuracy(3), Evaluation(answers([0], [0], 3))])
    several = Evaluation(predictions([[1, 0]], [(0,)], multi_label=True))
    with pytest.raises(ValueError, match=r"one has accuracy, .*, another mean_average_precision"):
        average([of_accuracy(3), several])
