"""Evaluation: a run's answers are scored and kept, empty clips counted, mismatches refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from potion_stores import make_potion_store

from posemill.errors import ConfigurationMismatch, InputError
from posemill.pipelines.evaluate import evaluate
from posemill.pipelines.evaluations import figures_path, read_answers
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


def test_a_trained_run_recognises_clips_that_it_never_saw(trained: tuple[Path, Path]) -> None:
    evaluation = evaluate(*trained)
    found = evaluation.predictions
    assert len(found) == 8
    assert evaluation.num_unavailable == 1
    assert np.array(found.clip_ids)[found.empty].tolist() == ["test/nod/1"]
    assert evaluation.accuracy_without_empty == 1.0
    assert evaluation.confusion.sum() == 8
    assert evaluate(*trained) == evaluation  # dropout is off, the view is fixed


def test_figures_and_answers_are_written(trained: tuple[Path, Path]) -> None:
    evaluation = evaluate(*trained, subset="train")
    assert json.loads(figures_path(trained[0], "train").read_text()) == evaluation.as_dict()
    assert read_answers(trained[0], "train") == evaluation.predictions
    assert evaluation.predictions.clip_ids[0] == "train/wave_left/0"
    assert len(evaluation.predictions) == 24


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
