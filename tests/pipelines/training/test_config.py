"""A configuration's identity and back, its settings by name, and what it refuses."""

import json
from dataclasses import replace
from typing import Any

import pytest

from posemill.errors import InputError
from posemill.models.create import create_model
from posemill.pipelines.data import Augmentation
from posemill.pipelines.presets import PRESETS
from posemill.pipelines.training.config import (
    Machine,
    TrainConfig,
    config_from_identity,
    with_settings,
)
from posemill.pipelines.training.settings import ClipSettings, LossSettings


def as_stored(config: TrainConfig) -> Any:
    return json.loads(json.dumps(config.identity()))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_come_back_from_what_is_stored(name: str) -> None:
    config = PRESETS[name].config
    assert config_from_identity(config.identity()) == config
    assert config_from_identity(as_stored(config)) == config
    assert as_stored(config) == config.identity() | as_stored(config)


def test_every_kind_of_setting_comes_back() -> None:
    config = TrainConfig(
        model=create_model("poseconv3d", {"backbone": "x3d-s", "blocks": "1,1,1"}),
        recipe="volume",
        recipe_settings=("draw=train", "size_hw=20,20"),
        test_settings=("draw=test",),
        init="runs/x",
        freeze=True,
        augmentation=Augmentation(crop_hw=(12, 14), area=(0.5, 0.9)),
        loss=LossSettings(of_classes="binary", positives="multi-label-weighted"),
        clips=ClipSettings(hold_out=0.25, balance="class", repeat=3),
    )
    assert config_from_identity(as_stored(config)) == config


def test_where_it_runs_is_no_part_of_the_identity() -> None:
    config = TrainConfig()
    there = replace(config, machine=Machine("cuda:7", 8, 4, compile=True, checkpoint_steps=9))
    assert there.identity() == config.identity()
    assert config_from_identity(there.identity()).machine == Machine()


@pytest.mark.parametrize("section", ["optimizer", "model", None])
def test_settings_of_another_version_are_named(section: str | None) -> None:
    stored = as_stored(TrainConfig())
    place = stored if section is None else stored[section]
    (place["settings"] if section == "model" else place)["colour"] = "red"
    with pytest.raises(InputError, match="no setting colour, which is stored; use the posemill"):
        config_from_identity(stored)


@pytest.mark.parametrize("stored", [{}, {"model": "potion"}, {"model": {"name": "potion"}}, 7])
def test_something_else_is_told_in_one_line(stored: Any) -> None:
    with pytest.raises(InputError, match=r"cannot be understood .* or train again") as told:
        config_from_identity(stored)
    assert "\n" not in str(told.value)


def test_more_threads_than_machines_have_are_refused() -> None:
    with pytest.raises(InputError, match=r"threads must be from 1 to 1,024, got 100000"):
        Machine(threads=100_000)


def test_settings_that_are_not_stored_yet_have_their_defaults() -> None:
    stored = as_stored(TrainConfig())
    del stored["optimizer"]["nesterov"], stored["clips"], stored["freeze"]
    assert config_from_identity(stored) == TrainConfig()


def test_settings_by_name_leave_the_others() -> None:
    base = PRESETS["jmrn-hmdb51"].config
    changed = with_settings(
        base,
        [
            ("model.cdim", "8"),
            ("augmentation.crop_hw", "32,48"),
            ("optimizer.nesterov", "true"),
            ("schedule.shape", "steps"),
            ("schedule.milestones", "3,5"),
            ("loss.positives", "only-aug"),
            ("clips.hold_out", "0"),
        ],
    )
    assert changed.model == replace(base.model, cdim=8)  # type: ignore[call-arg]
    assert changed.augmentation == replace(base.augmentation, crop_hw=(32, 48))
    assert changed.optimizer == replace(base.optimizer, nesterov=True)
    assert changed.schedule == replace(base.schedule, shape="steps", milestones="3,5")
    assert changed.loss == replace(base.loss, positives="only-aug")
    assert changed.clips == replace(base.clips, hold_out=0.0)
    assert replace(changed, model=base.model, augmentation=base.augmentation) == replace(
        base,
        optimizer=changed.optimizer,
        schedule=changed.schedule,
        loss=changed.loss,
        clips=changed.clips,
    )
    assert with_settings(base, []) == base


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("width", "8", r"SECTION\.KEY=VALUE .* model, augmentation, .*clips; got width=8"),
        ("network.width", "8", "got network.width=8"),
        ("model.widht", "8", r"model potion has no setting 'widht' \(did you mean 'width'\?\)"),
        ("model.width", "wide", "the default is --set model.width=128"),
        ("model.width", "0", "nearest is --set model.width=1"),
        ("optimizer.learning_rate", "nan", "nearest is --set optimizer.learning_rate=0.005"),
        ("optimizer.algorithm", "adma", "nearest is --set optimizer.algorithm=adam"),
        ("schedule.gamma", "2", "nearest is --set schedule.gamma=1"),
        ("loss.positives", "all", "--set loss.positives="),
        ("clips.hold_out", "1", "nearest is --set clips.hold_out=0.9"),
        ("clips.balance", "classes", "nearest is --set clips.balance=class"),
        ("augmentation.flip", "1.5", "nearest is --set augmentation.flip=1"),
        ("augmentation.crop_hw", "20", "the default is --set augmentation.crop_hw=0,0"),
        ("optimizer.nesterov", "yes", "the default is --set optimizer.nesterov=false"),
    ],
)
def test_what_cannot_be_set_says_what_can(key: str, value: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        with_settings(TrainConfig(), [(key, value)])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, got 0"),
        ({"batch_size": 0}, "batch_size must be from 1 to 65,536"),
        ({"accumulate": 0}, "accumulate must be 1 or more"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"precision": "fp8"}, "precision must be fp32 or bf16 or fp16, got fp8"),
        ({"freeze": True}, "give them with --init"),
    ],
)
def test_configurations_that_cannot_be_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TrainConfig(**settings)


def test_nesterov_needs_momentum() -> None:
    settings = [("optimizer.nesterov", "true"), ("optimizer.momentum", "0")]
    assert with_settings(TrainConfig(), settings).optimizer.algorithm == "adam"  # without either
    with pytest.raises(InputError, match=r"--set optimizer\.momentum=0\.9"):
        with_settings(TrainConfig(), [("optimizer.algorithm", "sgd"), *settings])
