"""Evaluation: figures derived by hand, empty clips counted, mismatches refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from potion_stores import make_potion_store

from posemill.errors import ConfigurationMismatch, InputError
from posemill.pipelines.evaluate import evaluate, evaluation_paths
from posemill.pipelines.metrics import Evaluation, Prediction, confusion_matrix
from posemill.pipelines.train import EpochEnded, train
from posemill.pipelines.train_config import TrainConfig

CONFIG = TrainConfig(epochs=12, batch_size=8, width=8, learning_rate=1e-2, beta_px=1)
EMPTY = frozenset({"test/nod/1"})
UNAVAILABLE = frozenset({"test/nod/2"})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of a finished run, and its features."""
    folder = tmp_path_factory.mktemp("trained")
    features = Path(make_potion_store(folder / "f.zarr", empty=EMPTY, unavailable=UNAVAILABLE).url)
    train(features, folder / "run", CONFIG)
    return folder / "run", features


def answer(label: int, predicted: int, empty: bool = False) -> Prediction:
    return Prediction(f"clip {label}", "video", label, predicted, empty, (0.5, 0.25, 0.25))


def test_figures_of_a_small_example() -> None:
    answers = (answer(0, 0), answer(0, 0), answer(0, 1), answer(1, 1), answer(1, 0, empty=True))
    evaluation = Evaluation("potion", "default", "test", ("a", "b", "c"), answers, 4)
    assert evaluation.confusion.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert evaluation.accuracy == pytest.approx(3 / 5)
    assert evaluation.class_accuracies == (pytest.approx(2 / 3), pytest.approx(1 / 2), None)
    assert evaluation.mean_class_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert evaluation.num_empty == 1
    assert evaluation.accuracy_without_empty == pytest.approx(3 / 4)
    assert evaluation.chance == pytest.approx(1 / 3)
    assert evaluation.majority == pytest.approx(3 / 5)
    assert evaluation.as_dict()["clips_without_features"] == 4
    json.dumps(evaluation.as_dict(), allow_nan=False)


def test_figures_of_empty_clips_alone() -> None:
    evaluation = Evaluation("potion", "default", "test", ("a", "b"), (answer(0, 1, True),), 0)
    assert evaluation.accuracy_without_empty is None
    assert evaluation.accuracy == 0.0


def test_impossible_evaluations_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one prediction"):
        Evaluation("potion", "default", "test", ("a",), (), 0)
    with pytest.raises(ValueError, match="label 2 is not one of 2 classes"):
        Evaluation("potion", "default", "test", ("a", "b"), (answer(2, 0),), 0)


def test_the_confusion_matrix_counts_repeated_pairs() -> None:
    assert confusion_matrix([1, 1, 1], [0, 0, 1], 2).tolist() == [[0, 0], [2, 1]]


def test_a_trained_run_recognises_clips_that_it_never_saw(trained: tuple[Path, Path]) -> None:
    evaluation = evaluate(*trained)
    assert len(evaluation.predictions) == 8
    assert evaluation.num_unavailable == 1
    assert [item.clip_id for item in evaluation.predictions if item.empty] == ["test/nod/1"]
    assert evaluation.accuracy_without_empty == 1.0
    assert evaluation.confusion.sum() == 8
    for item in evaluation.predictions:
        assert sum(item.probabilities) == pytest.approx(1.0, abs=1e-5)
        assert item.predicted == np.argmax(item.probabilities)
    assert evaluate(*trained) == evaluation  # dropout is off, the view is fixed


def test_figures_and_answers_are_written(trained: tuple[Path, Path]) -> None:
    evaluation = evaluate(*trained, subset="train")
    figures, answers = evaluation_paths(trained[0], "train")
    assert json.loads(figures.read_text()) == evaluation.as_dict()
    lines = [json.loads(line) for line in answers.read_text().splitlines()]
    assert len(lines) == 24
    assert lines[0]["clip_id"] == "train/wave_left/0"
    assert lines[0]["class"] == "wave_left"
    assert evaluation_paths(trained[0], "../../x")[0].parent == trained[0]


def test_an_unfinished_run_is_refused(trained: tuple[Path, Path], tmp_path: Path) -> None:
    def stop(event: EpochEnded) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(trained[1], tmp_path / "run", CONFIG, stop)
    with pytest.raises(InputError, match="1 of 12 epochs"):
        evaluate(tmp_path / "run", trained[1])


def test_other_features_are_refused(trained: tuple[Path, Path], tmp_path: Path) -> None:
    other = Path(make_potion_store(tmp_path / "f.zarr", seed=1).url)
    with pytest.raises(ConfigurationMismatch, match="seed: asked for 1, the store has 0"):
        evaluate(trained[0], other)
    renamed = make_potion_store(tmp_path / "g.zarr", classes=("wave_left", "wave_right", "shake"))
    with pytest.raises(ConfigurationMismatch, match="wave_left, wave_right, shake"):
        evaluate(trained[0], Path(renamed.url))
    with pytest.raises(InputError, match="holds no run"):
        evaluate(tmp_path, trained[1])
    with pytest.raises(InputError, match="no subset 'val'"):
        evaluate(*trained, subset="val")
