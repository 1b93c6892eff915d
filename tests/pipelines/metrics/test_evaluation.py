"""Which figures answers have: of one class a clip, of several, of people in boxes."""

import json

import numpy as np
import pytest
from made_predictions import answers, predictions

from posemill.pipelines.metrics import Evaluation


def test_figures_of_a_small_example() -> None:
    made = answers(
        chosen=[0, 0, 1, 1, 0],
        labels=[0, 0, 0, 1, 1],
        num_classes=3,
        empty=[False, False, False, False, True],
        num_unavailable=4,
    )
    found = Evaluation(made)
    assert found.confusion.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.top5_accuracy is None  # of three classes all are among five
    assert found.class_accuracies == (pytest.approx(2 / 3), pytest.approx(1 / 2), None)
    assert found.mean_class_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    # Class 0: {right, right, wrong} tie at the top, then {right, wrong}: 2/3, 2/3, 3/5. Class 1:
    # {right, wrong}, then {right, wrong, wrong}: 1/2, 2/5.
    assert found.average_precisions[0] == pytest.approx((2 / 3 + 2 / 3 + 3 / 5) / 3)
    assert found.average_precisions[1:] == (pytest.approx((1 / 2 + 2 / 5) / 2), None)
    assert found.num_empty == 1
    assert found.accuracy_without_empty == pytest.approx(3 / 4)
    assert found.chance == pytest.approx(1 / 3)
    assert found.majority == pytest.approx(3 / 5)
    assert found.summary().startswith("accuracy 60.0%, mean over classes 58.3%, mAP 54.7%, chance")
    told = found.as_dict()
    assert told["clips_without_features"] == 4
    assert told["without_empty_clips"]["accuracy"] == pytest.approx(3 / 4)
    assert told["confused_pairs"][0] == {"label": "b", "answer": "a", "count": 1, "share": 0.5}
    assert told["class_table"][2]["accuracy"] is None
    json.dumps(told, allow_nan=False)


def test_figures_of_empty_clips_alone() -> None:
    found = Evaluation(answers([1], [0], 2, empty=[True]))
    assert found.accuracy == 0.0
    assert found.accuracy_without_empty is None
    assert found.as_dict()["without_empty_clips"] is None


def test_top_five_of_more_classes() -> None:
    logits = np.tile(np.arange(7.0), (2, 1))  # the likeliest five are 6, 5, 4, 3, 2
    assert Evaluation(predictions(logits, [2, 1])).figures()["top5_accuracy"] == 0.5


def test_clips_of_several_classes_have_no_accuracy() -> None:
    made = predictions([[2, -1], [1, 3], [-2, -4]], [(0,), (0, 1), ()], multi_label=True)
    found = Evaluation(made)
    assert found.figures() == {"mean_average_precision": 1.0}
    assert found.chance == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert "confusion" not in found.as_dict()
    assert found.summary() == "mAP 100.0%, chance 50.0%, on 3 clips of test"
    with pytest.raises(ValueError, match="have no accuracy"):
        _ = found.accuracy


def test_people_in_boxes_have_a_frame_map() -> None:
    made = predictions(
        [[2, -1], [1, 3]],
        [(0,), (1,)],
        multi_label=True,
        boxes=[(0, 0, 0.5, 1), (0.5, 0, 1, 1)],
        times=[1, 1],
    )
    # Each clip is a video of its own here. Class 0: right first; class 1: right first.
    assert Evaluation(made).figures()["frame_mean_average_precision"] == 1.0


def test_the_order_of_clips_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    made = predictions(rng.integers(0, 4, (40, 6)), rng.integers(0, 6, 40).tolist())
    shuffled = made.pick(rng.permutation(40))
    assert Evaluation(shuffled).figures() == pytest.approx(Evaluation(made).figures())


def test_answers_that_are_right_give_one() -> None:
    labels = [0, 1, 2, 3, 4, 5, 5]
    figures = Evaluation(answers(labels, labels, 6)).figures()
    assert set(figures.values()) == {1.0}
