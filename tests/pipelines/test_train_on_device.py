"""Maps that are drawn where the network is train as those that the loader renders."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from action_clips import ActionFolder, make_action_store
from rendered_stores import render_store

from posemill.errors import InputError
from posemill.models.create import create_model
from posemill.pipelines.data import Augmentation
from posemill.pipelines.evaluate import evaluate
from posemill.pipelines.train import train
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import (
    LossSettings,
    OptimizerSettings,
    ScheduleSettings,
)

PLAIN = TrainConfig(
    epochs=3,
    batch_size=4,
    # Nothing that a border cuts off, where coordinates know more than pixels do.
    augmentation=Augmentation(flip=0.5),
    optimizer=OptimizerSettings(learning_rate=1e-3),
    schedule=ScheduleSettings(shape="constant"),
    seed=1,
)
VOLUME = replace(
    PLAIN,
    model=create_model("poseconv3d", {"base": "4", "blocks": "1,1,1", "dropout": "0"}),
    recipe="volume",
    recipe_settings=("size_hw=16,16", "length=6", "draw=train"),
    test_settings=("draw=test",),
)
LIMBS = replace(VOLUME, recipe="limb-volume")
JMRN = replace(
    PLAIN,
    model=create_model("jmrn", {"width": "4", "cdim": "4"}),
    recipe="jmrn",
    recipe_settings=("canvas_hw=16,16",),
    loss=LossSettings(contrast=0.1),
)


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> ActionFolder:
    return make_action_store(tmp_path_factory.mktemp("actions"))


def losses(run_dir: Path) -> list[float]:
    lines = (run_dir / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.mark.parametrize("config", [VOLUME, LIMBS, JMRN], ids=["volume", "limbs", "jmrn"])
def test_a_run_is_that_of_rendered_maps_but_for_rounding(
    config: TrainConfig, actions: ActionFolder, tmp_path: Path
) -> None:
    train(actions.store, tmp_path / "loader", config)
    train(actions.store, tmp_path / "device", replace(config, draw="device"))
    # The loader's maps are rounded to 1/255 or float16; the first epoch differs by no more.
    assert losses(tmp_path / "device")[0] == pytest.approx(losses(tmp_path / "loader")[0], abs=0.02)
    assert losses(tmp_path / "device")[2] == pytest.approx(losses(tmp_path / "loader")[2], abs=0.1)
    assert losses(tmp_path / "device") != losses(tmp_path / "loader")  # not the same way again
    told = json.loads((tmp_path / "device" / "config.json").read_text())
    assert told["identity"]["config"]["draw"] == "device"
    assert len(evaluate(tmp_path / "device", actions.store).predictions) == 4


def test_parts_and_workers_draw_the_same(actions: ActionFolder, tmp_path: Path) -> None:
    on_device = replace(JMRN, draw="device", epochs=1, loss=LossSettings())
    machine = replace(on_device.machine, workers=1)
    train(actions.store, tmp_path / "here", on_device)
    train(actions.store, tmp_path / "there", replace(on_device, machine=machine))
    ours, theirs = (
        torch.load(tmp_path / name / "last.pt", weights_only=True)["network"]
        for name in ("here", "there")
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_what_cannot_be_drawn_there_is_refused(actions: ActionFolder, tmp_path: Path) -> None:
    render_store(actions.store, tmp_path / "f.zarr", "potion", canvas_hw="16,16")
    cached = replace(PLAIN, model=create_model("potion", {"width": "4"}), draw="device")
    with pytest.raises(InputError, match="holds maps that are drawn already"):
        train(tmp_path / "f.zarr", tmp_path / "run", cached)
    parts = replace(
        cached,
        model=create_model("pa3d"),
        recipe="tempposeconv-p",
        recipe_settings=("draw=train",),
        test_settings=("draw=test",),
    )
    with pytest.raises(InputError, match="not drawn on the device"):
        train(actions.store, tmp_path / "run", parts)
    with pytest.raises(InputError, match="loader or device, got gpu"):
        replace(PLAIN, draw="gpu")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()
