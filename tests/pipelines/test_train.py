"""Training: it learns, is deterministic, resumes, and refuses what it cannot use."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from mean_models import MeanModel
from potion_stores import make_potion_store
from run_events import run_events

from posemill.errors import ConfigurationMismatch, EnvironmentFault, InputError, StoreCorrupted
from posemill.models.create import create_model
from posemill.models.potion_cnn import PotionModel
from posemill.pipelines.data import Augmentation
from posemill.pipelines.train import (
    BeganWith,
    EpochEnded,
    StepsDone,
    TrainEvent,
    plan_train,
    train,
)
from posemill.pipelines.training.config import Machine, Precision, TrainConfig
from posemill.pipelines.training.settings import (
    ClipSettings,
    LossSettings,
    OptimizerSettings,
    ScheduleSettings,
)
from posemill.pipelines.training.state import torch_seed
from posemill.storage.features import FeatureStore

QUICK = TrainConfig(
    model=PotionModel(width=4, dropout=0.1),
    epochs=4,
    batch_size=8,
    augmentation=Augmentation(beta_px=1, gamma_px=1),
    optimizer=OptimizerSettings(learning_rate=1e-2),
    seed=3,
)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(make_potion_store(tmp_path_factory.mktemp("features") / "f.zarr").url)


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    state = torch.load(run_dir / "last.pt", weights_only=True)
    found: dict[str, torch.Tensor] = state["network"]
    return found


def assert_equal_weights(first: Path, second: Path) -> None:
    ours, theirs = weights(first), weights(second)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def without_times(run_dir: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    timed = {"seconds", "samples_per_second", "waiting_share"}
    return [{key: line[key] for key in line.keys() - timed} for line in lines]


def test_it_learns_separable_classes(features: Path, tmp_path: Path) -> None:
    told: list[TrainEvent] = []
    config = replace(QUICK, model=PotionModel(width=8, dropout=0.0), epochs=12)
    result = train(features, tmp_path / "run", config, told.append)
    events = [event for event in told if isinstance(event, EpochEnded)]
    assert [event.epoch for event in events] == list(range(1, 13))
    assert events[-1].loss < 0.3 < events[0].loss
    assert result.accuracy == events[-1].accuracy >= 0.9
    assert (result.num_clips, result.num_classes, result.num_epochs_before) == (24, 3, 0)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == [event.loss for event in events]


def test_the_run_says_what_it_was_made_from(features: Path, tmp_path: Path) -> None:
    train(features, tmp_path / "run", QUICK)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    identity = config["identity"]
    store = FeatureStore.open(features)
    assert identity["features"]["configuration_hash"] == store.configuration_hash
    assert identity["classes"] == ["wave_left", "wave_right", "nod"]
    assert identity["clips"]["count"] == 24
    assert identity["config"]["seed"] == 3
    assert set(config["versions"]) == {"posemill", "torch", "numpy", "python"}


def test_equal_seeds_give_equal_weights_whatever_the_workers(
    features: Path, tmp_path: Path
) -> None:
    global_state = torch.random.get_rng_state()
    train(features, tmp_path / "a", QUICK)
    assert torch.equal(torch.random.get_rng_state(), global_state)
    torch.manual_seed(99)  # the process's own generator must not matter
    train(features, tmp_path / "b", replace(QUICK, machine=Machine(workers=1)))
    assert_equal_weights(tmp_path / "a", tmp_path / "b")
    assert without_times(tmp_path / "a") == without_times(tmp_path / "b")
    train(features, tmp_path / "c", replace(QUICK, seed=4))
    assert not torch.equal(
        weights(tmp_path / "a")["classifier.weight"], weights(tmp_path / "c")["classifier.weight"]
    )


def interrupt_after(epoch: int) -> Callable[[TrainEvent], None]:
    def on_event(event: TrainEvent) -> None:
        if isinstance(event, EpochEnded) and event.epoch == epoch:
            raise KeyboardInterrupt

    return on_event


def test_an_interrupted_run_ends_as_an_uninterrupted_one(features: Path, tmp_path: Path) -> None:
    train(features, tmp_path / "whole", QUICK)
    with pytest.raises(KeyboardInterrupt):
        train(features, tmp_path / "parts", QUICK, interrupt_after(1))
    # Killed between the metrics and the checkpoint of an epoch: one line too many.
    with (tmp_path / "parts" / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "loss": 123.0}\n')
    with pytest.raises(KeyboardInterrupt):
        train(features, tmp_path / "parts", QUICK, interrupt_after(3))
    result = train(features, tmp_path / "parts", QUICK)
    assert result.num_epochs_before == 3
    assert_equal_weights(tmp_path / "whole", tmp_path / "parts")
    assert without_times(tmp_path / "whole") == without_times(tmp_path / "parts")
    ours, theirs = run_events(tmp_path / "whole"), run_events(tmp_path / "parts")
    assert [step for step, _ in ours["loss/train"]] == [3, 6, 9, 12]
    for name in ("loss/train", "accuracy/train", "learning_rate"):
        assert ours[name] == theirs[name]


def test_a_finished_run_is_left_alone(features: Path, tmp_path: Path) -> None:
    first = train(features, tmp_path / "run", QUICK)
    before = (tmp_path / "run" / "last.pt").stat().st_mtime_ns
    events: list[TrainEvent] = []
    again = train(features, tmp_path / "run", QUICK, events.append)
    assert again.num_epochs_before == again.num_epochs == 4
    assert (again.loss, again.accuracy) == (first.loss, first.accuracy)
    assert events == []
    assert (tmp_path / "run" / "last.pt").stat().st_mtime_ns == before


def test_another_run_in_the_same_folder_is_refused(features: Path, tmp_path: Path) -> None:
    train(features, tmp_path / "run", QUICK)
    other = replace(QUICK, model=PotionModel(width=8, dropout=0.1), epochs=5)
    with pytest.raises(ConfigurationMismatch) as mismatch:
        train(features, tmp_path / "run", other)
    assert "config.model.settings.width: asked for 8" in str(mismatch.value)
    assert "config.epochs: asked for 5" in str(mismatch.value)
    grown = Path(make_potion_store(tmp_path / "grown.zarr", per_class={"train": 9}).url)
    with pytest.raises(ConfigurationMismatch, match=r"clips\.count: asked for 27"):
        train(grown, tmp_path / "run", QUICK)


def test_damaged_runs_are_named(features: Path, tmp_path: Path) -> None:
    train(features, tmp_path / "run", QUICK)
    metrics = tmp_path / "run" / "metrics.jsonl"
    whole = metrics.read_text()
    metrics.write_text(whole.splitlines()[0] + "\n")
    with pytest.raises(StoreCorrupted, match=r"has 1 lines.*epoch 4"):
        train(features, tmp_path / "run", QUICK)
    metrics.write_text(whole)
    checkpoint = tmp_path / "run" / "last.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(StoreCorrupted, match=r"last\.pt: 1000 bytes that cannot be read"):
        train(features, tmp_path / "run", QUICK)


def test_a_loss_that_is_not_finite_ends_the_run_by_name(features: Path, tmp_path: Path) -> None:
    wild = replace(QUICK, model=MeanModel(factor=1e42))
    with pytest.raises(InputError, match=r"not finite \((nan|inf)\) in epoch \d: .* give a lower"):
        train(features, tmp_path / "run", wild)
    path = tmp_path / "run" / "metrics.jsonl"
    assert "NaN" not in (path.read_text() if path.exists() else "")


def test_a_disk_that_refuses_is_not_silent(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(draft: Path, target: Path) -> None:
        if target.name == "last.pt":
            raise OSError(28, "No space left on device")
        original(draft, target)

    original = os.replace
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(EnvironmentFault, match="No space left"):
        train(features, tmp_path / "run", QUICK)
    monkeypatch.undo()
    found = {path.name for path in (tmp_path / "run").iterdir()}
    assert found == {".lock", "config.json", "metrics.jsonl", "tensorboard"}
    assert train(features, tmp_path / "run", QUICK).num_epochs_before == 0


def test_unusable_features_are_refused_with_what_is_there(features: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(InputError, match=r"no subset 'dev'.*train"):
        train(features, run, replace(QUICK, subset="dev"))
    with pytest.raises(InputError, match=r"recipe 'potion'; the model pa3d reads tempposeconv-j"):
        train(features, run, replace(QUICK, model=create_model("pa3d")))
    unlabelled = Path(make_potion_store(tmp_path / "u.zarr", labelled=False).url)
    with pytest.raises(InputError, match="none of the 24 clips of default/train has a label"):
        train(unlabelled, run, QUICK)
    one = Path(make_potion_store(tmp_path / "o.zarr", classes=("nod",), mirrors=(0,)).url)
    with pytest.raises(InputError, match="nod"):
        train(one, run, QUICK)
    undeclared = Path(make_potion_store(tmp_path / "m.zarr", mirrors=(-1, -1, -1)).url)
    with pytest.raises(InputError, match=r"classes wave_left, wave_right.*flip 0"):
        train(undeclared, run, QUICK)
    with pytest.raises(InputError, match="17 x 20 px does not fit"):
        train(features, run, replace(QUICK, augmentation=Augmentation(crop_hw=(17, 20))))
    with pytest.raises(InputError, match="8 x 20 px are too small"):
        train(features, run, replace(QUICK, augmentation=Augmentation(crop_hw=(8, 20))))
    with pytest.raises(InputError, match="'cuda:99' cannot be used"):
        train(features, run, replace(QUICK, machine=Machine(device="cuda:99")))
    with pytest.raises(InputError, match="potion with these settings gives none"):
        train(features, run, replace(QUICK, loss=LossSettings(contrast=0.1)))
    with pytest.raises(InputError, match=r"holds features of the recipe 'potion', not of 'volume'"):
        train(features, run, replace(QUICK, recipe="volume"))
    assert not run.exists()  # nothing is written before the input is known to be good


def test_a_folder_with_something_else_is_left_alone(features: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a run"):
        train(features, tmp_path, QUICK)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(InputError, match="not the configuration of a run"):
        train(features, tmp_path, QUICK)


def first_epoch_then_stop(step: int) -> Callable[[TrainEvent], None]:
    def on_event(event: TrainEvent) -> None:
        if isinstance(event, StepsDone) and (event.epoch, event.step) == (2, step):
            raise KeyboardInterrupt

    return on_event


def test_a_run_goes_on_within_an_epoch(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posemill.pipelines.train.LOOK_STEPS", 1)
    train(features, tmp_path / "whole", QUICK)
    machine = Machine(checkpoint_steps=1)
    with pytest.raises(KeyboardInterrupt):
        # Told of the second step before its checkpoint: the one of the first counts.
        train(
            features, tmp_path / "parts", replace(QUICK, machine=machine), first_epoch_then_stop(2)
        )
    state = torch.load(tmp_path / "parts" / "last.pt", weights_only=True)
    assert (state["epochs_done"], state["steps_of_epoch"]) == (1, 1)
    result = train(features, tmp_path / "parts", replace(QUICK, machine=Machine(workers=1)))
    assert result.num_epochs_before == 1
    assert_equal_weights(tmp_path / "whole", tmp_path / "parts")
    assert without_times(tmp_path / "whole") == without_times(tmp_path / "parts")


def test_the_best_epoch_is_that_of_held_out_training_videos(features: Path, tmp_path: Path) -> None:
    config = replace(QUICK, epochs=6, clips=ClipSettings(hold_out=0.25))
    result = train(features, tmp_path / "run", config)
    assert (result.num_clips, result.num_held_out) == (18, 6)  # 2 of 8 of each of 3 classes
    lines = [
        json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    ]
    scores = [line["held_out_score"] for line in lines]
    assert result.best_epoch == 1 + scores.index(max(scores))
    best = torch.load(tmp_path / "run" / "best.pt", weights_only=True)
    assert (best["epochs_done"], best["best_score"]) == (result.best_epoch, max(scores))


def test_the_best_epoch_is_there_before_the_last_one_tells_of_it(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(draft: Path, target: Path) -> None:
        if target.name == "best.pt":
            raise OSError(28, "No space left on device")
        original(draft, target)

    original = os.replace
    monkeypatch.setattr(os, "replace", full)
    config = replace(QUICK, clips=ClipSettings(hold_out=0.25))
    with pytest.raises(EnvironmentFault, match="No space left"):
        train(features, tmp_path / "run", config)
    assert not (tmp_path / "run" / "last.pt").exists()


def test_parts_of_a_batch_add_up_to_it(features: Path, tmp_path: Path) -> None:
    # Without batch normalisation, whose statistics are those of a part.
    config = replace(QUICK, model=MeanModel(), epochs=2, augmentation=Augmentation(flip=0.0))
    train(features, tmp_path / "whole", config)
    train(features, tmp_path / "parts", replace(config, accumulate=3))
    ours, theirs = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-5, atol=1e-6)


def test_the_norm_of_a_step_is_bounded(features: Path, tmp_path: Path) -> None:
    sgd = OptimizerSettings(algorithm="sgd", learning_rate=1.0, momentum=0.0, clip_norm=1e-3)
    constant = ScheduleSettings(shape="constant")
    config = replace(QUICK, model=MeanModel(), epochs=1, optimizer=sgd, schedule=constant)
    train(features, tmp_path / "run", config)
    torch.manual_seed(torch_seed(config.seed, -1, 0))
    before = MeanModel().network({"u": (17, 3, 16, 20)}, 3).state_dict()
    after = weights(tmp_path / "run")
    moved = sum(((after[name] - before[name]) ** 2).sum() for name in before) ** 0.5
    assert 0.0 < float(moved) <= 3 * 1e-3 * (1 + 1e-5)  # three steps of a rate of 1


def test_a_linear_probe_moves_the_classifier_alone(features: Path, tmp_path: Path) -> None:
    train(features, tmp_path / "first", QUICK)
    probe = replace(QUICK, init=str(tmp_path / "first"), freeze=True, epochs=2)
    told: list[str] = []

    def note(event: TrainEvent) -> None:
        if isinstance(event, BeganWith):
            told.append(event.weights)

    train(features, tmp_path / "probe", probe, note)
    train(features, tmp_path / "probe", probe, note)  # all is done: it begins with nothing
    ours, theirs = weights(tmp_path / "first"), weights(tmp_path / "probe")
    changed = {name for name in ours if not torch.equal(ours[name], theirs[name])}
    assert changed == {"classifier.weight", "classifier.bias"}
    assert told == [f"{tmp_path / 'first' / 'last.pt'}: {len(ours)} tensors of a run"]
    other = replace(probe, model=PotionModel(width=8))
    with pytest.raises(InputError, match=r"last\.pt: is a checkpoint of another network"):
        train(features, tmp_path / "other", other)
    with pytest.raises(InputError, match=r"last\.pt: is a checkpoint of another network"):
        plan_train(features, other)
    with pytest.raises(InputError, match="no checkpoint can be read there"):
        train(features, tmp_path / "none", replace(probe, init=str(tmp_path / "nothing")))
    assert {path.name for path in tmp_path.iterdir()} == {"first", "probe"}
    # Weights of the same name that are others now would not give the same run.
    shutil.copy(tmp_path / "probe" / "last.pt", tmp_path / "first" / "last.pt")
    with pytest.raises(ConfigurationMismatch, match="initial_weights_sha256: asked for"):
        train(features, tmp_path / "probe", probe)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_trains(features: Path, tmp_path: Path, precision: Precision) -> None:
    config = replace(QUICK, precision=precision, epochs=12, model=PotionModel(width=8, dropout=0.0))
    result = train(features, tmp_path / "run", config)
    assert result.accuracy >= 0.9
    assert all(tensor.dtype != torch.float16 for tensor in weights(tmp_path / "run").values())


def test_several_processes_train_one_network(features: Path, tmp_path: Path) -> None:
    """torchrun's processes: equal weights on all, the same clips, one run.

    Of JMRN without its contrast, whose projection head no loss reaches.
    """
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"),
        *("-m", "posemill", "train", features, "--model", "jmrn", "-o", tmp_path / "run"),
        *("--set", "model.width=4", "--set", "model.cdim=4", "--epochs", "3"),
        *("--batch-size", "8", "--threads", "1", "--set", "clips.hold_out=0.25"),
        *("--checkpoint-steps", "1"),
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("3 epochs on 18 clips") == 1  # told once
    lines = [
        json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    views = [line["samples_per_second"] * line["seconds"] for line in lines]
    assert views == pytest.approx([3 * 8] * 3)  # of both, in steps of 8 of 18 clips
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["machine"]["processes"] == 2


def test_a_plan_counts_without_writing(features: Path, tmp_path: Path) -> None:
    plan = plan_train(features, QUICK)
    assert (plan.num_clips, plan.num_steps) == (24, 4 * 3)
    assert plan.shapes["u"] == (17, 3, 16, 20)
