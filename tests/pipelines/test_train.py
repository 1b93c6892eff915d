"""Training: it learns, is deterministic, resumes, and refuses what it cannot use."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from potion_stores import make_potion_store

from posemill.errors import ConfigurationMismatch, EnvironmentFault, InputError, StoreCorrupted
from posemill.pipelines.train import EpochEnded, one_cycle, train
from posemill.pipelines.train_config import TrainConfig
from posemill.storage.features import FeatureStore

QUICK = TrainConfig(
    epochs=4, batch_size=8, width=4, learning_rate=1e-2, beta_px=1, gamma_px=1, seed=3
)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(make_potion_store(tmp_path_factory.mktemp("features") / "f.zarr").url)


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    state = torch.load(run_dir / "last.pt", weights_only=True)
    found: dict[str, torch.Tensor] = state["model"]
    return found


def assert_equal_weights(first: Path, second: Path) -> None:
    ours, theirs = weights(first), weights(second)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def without_times(run_dir: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def test_it_learns_separable_classes(features: Path, tmp_path: Path) -> None:
    events: list[EpochEnded] = []
    config = TrainConfig(epochs=12, batch_size=8, width=8, learning_rate=1e-2, beta_px=1)
    result = train(features, tmp_path / "run", config, events.append)
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
    with_workers = TrainConfig(**{**QUICK.identity(), "workers": 1})
    train(features, tmp_path / "b", with_workers)
    assert_equal_weights(tmp_path / "a", tmp_path / "b")
    assert without_times(tmp_path / "a") == without_times(tmp_path / "b")
    train(features, tmp_path / "c", TrainConfig(**{**QUICK.identity(), "seed": 4}))
    assert not torch.equal(
        weights(tmp_path / "a")["classifier.weight"], weights(tmp_path / "c")["classifier.weight"]
    )


def interrupt_after(epoch: int) -> Callable[[EpochEnded], None]:
    def on_event(event: EpochEnded) -> None:
        if event.epoch == epoch:
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


def test_a_finished_run_is_left_alone(features: Path, tmp_path: Path) -> None:
    first = train(features, tmp_path / "run", QUICK)
    before = (tmp_path / "run" / "last.pt").stat().st_mtime_ns
    events: list[EpochEnded] = []
    again = train(features, tmp_path / "run", QUICK, events.append)
    assert again.num_epochs_before == again.num_epochs == 4
    assert (again.loss, again.accuracy) == (first.loss, first.accuracy)
    assert events == []
    assert (tmp_path / "run" / "last.pt").stat().st_mtime_ns == before


def test_another_run_in_the_same_folder_is_refused(features: Path, tmp_path: Path) -> None:
    train(features, tmp_path / "run", QUICK)
    other = TrainConfig(**{**QUICK.identity(), "width": 8, "epochs": 5})
    with pytest.raises(ConfigurationMismatch) as mismatch:
        train(features, tmp_path / "run", other)
    assert "config.width: asked for 8" in str(mismatch.value)
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
    with pytest.raises(StoreCorrupted, match="checkpoint of 1000 bytes"):
        train(features, tmp_path / "run", QUICK)


def test_a_loss_that_is_not_finite_ends_the_run_by_name(features: Path, tmp_path: Path) -> None:
    wild = TrainConfig(epochs=4, batch_size=8, width=4, learning_rate=1e37)
    with pytest.raises(InputError, match=r"not finite \((nan|inf)\) at epoch \d: .* 1e\+37; give"):
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
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"config.json", "metrics.jsonl"}
    assert train(features, tmp_path / "run", QUICK).num_epochs_before == 0


def test_unusable_features_are_refused_with_what_is_there(features: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(InputError, match=r"no subset 'dev'.*train"):
        train(features, run, TrainConfig(subset="dev"))
    volumes = Path(make_potion_store(tmp_path / "v.zarr", recipe="volume").url)
    with pytest.raises(InputError, match=r"recipe 'volume'.*reads potion"):
        train(volumes, run, QUICK)
    unlabelled = Path(make_potion_store(tmp_path / "u.zarr", labelled=False).url)
    with pytest.raises(InputError, match="none of the 24 clips of default/train has a label"):
        train(unlabelled, run, QUICK)
    classless = Path(make_potion_store(tmp_path / "c.zarr", per_class={}, classes=()).url)
    with pytest.raises(InputError, match="has no classes"):
        train(classless, run, QUICK)
    undeclared = Path(make_potion_store(tmp_path / "m.zarr", mirrors=(-1, -1, -1)).url)
    with pytest.raises(InputError, match=r"classes wave_left, wave_right.*flip 0"):
        train(undeclared, run, QUICK)
    with pytest.raises(InputError, match="17 x 20 px does not fit"):
        train(features, run, TrainConfig(crop_hw=(17, 20)))
    with pytest.raises(InputError, match="8 x 20 px are too small"):
        train(features, run, TrainConfig(crop_hw=(8, 20)))
    with pytest.raises(InputError, match="'cuda:99' cannot be used"):
        train(features, run, TrainConfig(device="cuda:99"))
    assert not run.exists()  # nothing is written before the input is known to be good


def test_a_folder_with_something_else_is_left_alone(features: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a run"):
        train(features, tmp_path, QUICK)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(InputError, match="not the configuration of a run"):
        train(features, tmp_path, QUICK)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", float("nan")),
        ("width", 0),
        ("dropout", 1.0),
        ("flip", 1.5),
        ("beta_px", -1),
        ("seed", -1),
        ("workers", -1),
        ("threads", 0),
        ("model", "lstm"),
    ],
)
def test_settings_are_checked(setting: str, value: float | str) -> None:
    with pytest.raises(InputError, match=str(value)):
        TrainConfig(**{setting: value})  # type: ignore[arg-type]


def test_the_learning_rate_rises_then_falls() -> None:
    rates = [one_cycle(step, 101, 1.0) for step in range(101)]
    assert rates[0] == pytest.approx(1 / 25)
    assert rates[30] == pytest.approx(1.0)  # the peak, at three tenths
    assert rates[15] == pytest.approx((1 + 1 / 25) / 2)  # half way along a cosine: the mean
    assert rates[100] == pytest.approx(1 / 1000)
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)
    assert one_cycle(0, 1, 1.0) == pytest.approx(1 / 25)
