"""Evaluation: a run's answers are scored and kept, empty clips counted, mismatches refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from potion_stores import make_potion_store

from posemill.errors import ConfigurationMismatch, InputError, StoreCorrupted
from posemill.models.checkpoints import dump_checkpoint, read_checkpoint
from posemill.models.potion_cnn import PotionModel
from posemill.pipelines.data import Augmentation
from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.evaluations import figures_path, read_answers
from posemill.pipelines.train import EpochEnded, TrainEvent, train
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import OptimizerSettings

CONFIG = TrainConfig(
    model=PotionModel(width=8, dropout=0.0),
    epochs=12,
    batch_size=8,
    augmentation=Augmentation(beta_px=1),
    optimizer=OptimizerSettings(learning_rate=1e-2),
)
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
    evaluation = evaluate(*trained, EvaluateConfig(subset="train"))
    assert json.loads(figures_path(trained[0], "train").read_text()) == evaluation.as_dict()
    assert read_answers(trained[0], "train") == evaluation.predictions
    assert evaluation.predictions.clip_ids[0] == "train/wave_left/0"
    assert len(evaluation.predictions) == 24


def test_an_unfinished_run_is_refused(trained: tuple[Path, Path], tmp_path: Path) -> None:
    def stop(event: TrainEvent) -> None:
        assert isinstance(event, EpochEnded)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(trained[1], tmp_path / "run", CONFIG, stop)
    with pytest.raises(InputError, match="1 of 12 epochs"):
        evaluate(tmp_path / "run", trained[1])


def test_other_features_are_refused(trained: tuple[Path, Path], tmp_path: Path) -> None:
    volumes = Path(make_potion_store(tmp_path / "v.zarr", channels=4).url)
    with pytest.raises(ConfigurationMismatch, match="channels: 4, trained on 3"):
        evaluate(trained[0], volumes)
    renamed = make_potion_store(tmp_path / "g.zarr", classes=("wave_left", "wave_right", "shake"))
    with pytest.raises(ConfigurationMismatch, match=r"1 classes that .* not trained on, as shake"):
        evaluate(trained[0], Path(renamed.url))
    with pytest.raises(InputError, match="holds no run"):
        evaluate(tmp_path, trained[1])
    with pytest.raises(InputError, match="no subset 'val'"):
        evaluate(*trained, EvaluateConfig(subset="val"))


def test_another_store_is_asked_by_the_names_of_its_classes(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    """As Mimetics, which has some of Kinetics' classes in an order of its own."""
    some = make_potion_store(
        tmp_path / "s.zarr", classes=("nod", "wave_left"), mirrors=(0, -1), drawn=(2, 0)
    )
    evaluation = evaluate(trained[0], Path(some.url), out=tmp_path / "scored")
    assert evaluation.classes == ("wave_left", "wave_right", "nod")
    assert evaluation.accuracy == 1.0
    assert evaluation.confusion.tolist() == [[3, 0, 0], [0, 0, 0], [0, 0, 3]]
    assert read_answers(tmp_path / "scored", "test") == evaluation.predictions


def test_the_best_epoch_needs_held_out_clips(trained: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="has no best epoch"):
        evaluate(*trained, EvaluateConfig(weights="best"))
    with pytest.raises(InputError, match="last or best, got 'first'"):
        EvaluateConfig(weights="first")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"0 to 1, got 1\.5"):
        EvaluateConfig(drop_joint=1.5)


def test_answers_say_how_they_were_made(trained: tuple[Path, Path], tmp_path: Path) -> None:
    run, features = trained
    evaluate(run, features, out=tmp_path / "scored")
    found = read_answers(tmp_path / "scored", "test").made_with
    assert found == {
        "weights": "last",
        "flip": "false",
        "drop_joint": "0",
        "store": str(features),
    }
    told = json.loads(figures_path(tmp_path / "scored", "test").read_text())
    assert told["made_with"] == found


def test_answers_do_not_replace_those_of_another_kind(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    run, features = trained
    lossy = EvaluateConfig(drop_joint=0.5)
    for out in (None, run, run / ".." / run.name):
        with pytest.raises(InputError, match=r"drop_joint=0\.5 clips lose joints.* folder with -o"):
            evaluate(run, features, lossy, out)
    shutil.copytree(run, tmp_path / "other")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "other").glob("*.*")}
    with pytest.raises(InputError, match=r"other holds another run.*choose another -o"):
        evaluate(run, features, out=tmp_path / "other")
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "other").glob("*.*")}


def test_a_checkpoint_that_does_not_tell_its_epochs_is_named(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    shutil.copytree(trained[0], tmp_path / "run")
    last = tmp_path / "run" / "last.pt"
    state = read_checkpoint(last.read_bytes(), "last.pt")
    last.write_bytes(dump_checkpoint({**state, "epochs_done": "all"}))
    with pytest.raises(StoreCorrupted, match=r"last\.pt: .* its epochs_done, got 'all'"):
        evaluate(tmp_path / "run", trained[1])
