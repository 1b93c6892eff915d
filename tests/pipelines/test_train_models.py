"""Every model on real poses, from the first step to figures: on the fly and cached."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from action_clips import ActionFolder, make_action_store, make_box_store
from rendered_stores import render_store

from posemill.errors import ConfigurationMismatch, InputError
from posemill.models.create import create_model
from posemill.pipelines.data import Augmentation
from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.train import EpochEnded, TrainEvent, plan_train, train
from posemill.pipelines.training.config import TrainConfig, with_settings
from posemill.pipelines.training.settings import LossSettings, OptimizerSettings, ScheduleSettings

Settings = dict[str, str]


@dataclass(frozen=True)
class Case:
    """A model, the recipe that it is trained on, and what differs from the defaults."""

    model: str
    model_settings: Settings
    recipe: str = ""
    recipe_settings: Settings | None = None
    test_settings: Settings | None = None
    sections: Settings | None = None

    def config(self, epochs: int = 6) -> TrainConfig:
        plain = TrainConfig(
            model=create_model(self.model, self.model_settings),
            recipe=self.recipe,
            recipe_settings=_assignments(self.recipe_settings),
            test_settings=_assignments(self.test_settings),
            epochs=epochs,
            batch_size=4,
            augmentation=Augmentation(flip=0.5, beta_px=1),
            optimizer=OptimizerSettings(learning_rate=1e-2),
            schedule=ScheduleSettings(shape="constant"),
            seed=1,
        )
        return with_settings(plain, (self.sections or {}).items())


def _assignments(settings: Settings | None) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in (settings or {}).items())


CANVAS = {"canvas_hw": "16,16"}
JMRN = {"width": "4", "cdim": "4"}
PA3D = {"width": "4", "outputs": "2", "dropout": "0"}
CUBE = {**CANVAS, "length": "4", "draw": "train"}
SLOWONLY = {"base": "4", "blocks": "1,1,1", "dropout": "0"}
VOLUME = {"size_hw": "16,16", "length": "6", "draw": "train"}
TEST = {"draw": "test"}
CASES = {
    "potion": Case("potion", {"width": "4", "dropout": "0"}, "", CANVAS),
    "jmrn": Case("jmrn", JMRN, "", CANVAS, sections={"loss.contrast": "0.1"}),
    "jmrn gumbel": Case(
        "jmrn",
        {**JMRN, "selector": "gumbel", "extractor": "separate"},
        "",
        CANVAS,
        sections={"loss.contrast": "0.1", "loss.positives": "only-aug", "loss.contrast_from": "2"},
    ),
    "jmrn of potion": Case("jmrn", {**JMRN, "contrast": "false"}, "potion", CANVAS),
    "pa3d joints": Case("pa3d", PA3D, "", CUBE, TEST),
    "pa3d parts": Case("pa3d", PA3D, "tempposeconv-p", CUBE, TEST),
    "pa3d differences": Case("pa3d", PA3D, "tempposeconv-jdiff", CUBE, TEST),
    "poseconv3d": Case("poseconv3d", SLOWONLY, "", VOLUME, {**TEST, "views": "2"}),
    "poseconv3d limbs": Case("poseconv3d", SLOWONLY, "limb-volume", VOLUME, TEST),
    "x3d": Case(
        "poseconv3d",
        {"backbone": "x3d-s", "base": "4", "blocks": "1,1,1", "dropout": "0"},
        "",
        {**VOLUME, "size_hw": "17,17"},
        TEST,
    ),
}


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> ActionFolder:
    return make_action_store(tmp_path_factory.mktemp("actions"))


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(run_dir / "last.pt", weights_only=True)["network"]
    return found


def assert_equal_weights(first: Path, second: Path) -> None:
    ours, theirs = weights(first), weights(second)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def stop_after(epoch: int) -> Callable[[TrainEvent], None]:
    def on_event(event: TrainEvent) -> None:
        if isinstance(event, EpochEnded) and event.epoch == epoch:
            raise KeyboardInterrupt

    return on_event


@pytest.mark.parametrize("name", CASES)
def test_it_trains_goes_on_and_is_scored(actions: ActionFolder, tmp_path: Path, name: str) -> None:
    config = CASES[name].config()
    result = train(actions.store, tmp_path / "whole", config)
    lines = (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < losses[config.loss.contrast_from - 1]
    assert (result.num_clips, result.num_classes) == (12, 2)
    evaluation = evaluate(tmp_path / "whole", actions.store)
    assert len(evaluation.predictions) == 4
    assert np.isfinite(evaluation.predictions.logits).all()
    with pytest.raises(KeyboardInterrupt):
        train(actions.store, tmp_path / "parts", config, stop_after(1))
    train(actions.store, tmp_path / "parts", config)
    assert_equal_weights(tmp_path / "whole", tmp_path / "parts")


def test_flips_and_lost_joints_are_scored(actions: ActionFolder, tmp_path: Path) -> None:
    train(actions.store, tmp_path / "run", CASES["poseconv3d"].config(epochs=2))

    def scored(out: str, **settings: Any) -> Any:
        config = EvaluateConfig(**settings)
        return evaluate(tmp_path / "run", actions.store, config, tmp_path / out).predictions

    plain, flipped, lossy = scored("p"), scored("f", flip=True), scored("d", drop_joint=1.0)
    assert (plain.num_views, flipped.num_views, lossy.num_views) == (2, 4, 2)
    assert (plain.made_with["flip"], plain.made_with["drop_joint"]) == ("false", "0")
    assert (flipped.made_with["flip"], lossy.made_with["drop_joint"]) == ("true", "1")
    for changed in (flipped, lossy):
        assert not np.array_equal(plain.logits, changed.logits)
        assert plain.labels == changed.labels
    np.testing.assert_array_equal(scored("z", drop_joint=0.0).logits, plain.logits)
    np.testing.assert_array_equal(scored("again", drop_joint=1.0).logits, lossy.logits)
    assert not (tmp_path / "run" / "predictions-test.parquet").exists()


def test_maps_that_are_stored_or_rendered_train_alike(
    actions: ActionFolder, tmp_path: Path
) -> None:
    """PoTion draws nothing at random, so jitter and flips are the same draws either way."""
    render_store(actions.store, tmp_path / "f.zarr", "potion", **CANVAS)
    fresh = replace(CASES["potion"].config(epochs=2), augmentation=Augmentation(0.5, 2, 1))
    stored = replace(fresh, recipe_settings=())
    train(actions.store, tmp_path / "fresh", fresh)
    train(tmp_path / "f.zarr", tmp_path / "stored", stored)
    assert_equal_weights(tmp_path / "fresh", tmp_path / "stored")
    of_poses, of_maps = (
        evaluate(tmp_path / "stored", store, out=tmp_path / store.stem).predictions
        for store in (actions.store, tmp_path / "f.zarr")
    )
    np.testing.assert_array_equal(of_poses.logits, of_maps.logits)
    assert of_poses.clip_ids == of_maps.clip_ids
    # Stored maps lose no joints; poses do, by the recipe that the run was trained on.
    lossy = EvaluateConfig(drop_joint=1.0)
    with pytest.raises(InputError, match="drawn already, so that no joint can be dropped"):
        evaluate(tmp_path / "stored", tmp_path / "f.zarr", lossy, tmp_path / "lossy")
    found = evaluate(tmp_path / "stored", actions.store, lossy, tmp_path / "lossy").predictions
    assert len(found) == 4


def test_cached_volumes_are_trained_on_and_ten_views_tested(
    actions: ActionFolder, tmp_path: Path
) -> None:
    cached = render_store(
        actions.store, tmp_path / "c.zarr", "volume", draw="cache", size_hw="20,20", length="6"
    )
    tested = render_store(
        actions.store, tmp_path / "t.zarr", "volume", views="3", size_hw="16,16", length="6"
    )
    base = Case("poseconv3d", SLOWONLY, sections={"augmentation.crop_hw": "16,16"})
    for name, config in {
        "plain": base.config(epochs=2),
        # As a preset has it, whose settings of test views are for poses to be rendered by.
        "preset": replace(
            base.config(epochs=2),
            recipe="volume",
            recipe_settings=("length=6",),
            test_settings=("draw=test", "views=10", "size_hw=64,64"),
        ),
    }.items():
        assert plan_train(cached, config).shapes == {"volume": (17, 6, 16, 16)}
        train(cached, tmp_path / name, config)
        assert evaluate(tmp_path / name, tested).predictions.num_views == 3
    with pytest.raises(InputError, match=r"volume with draw=cache, not with draw=train; leave"):
        train(cached, tmp_path / "x", replace(config, recipe_settings=("draw=train",)))
    longer = render_store(actions.store, tmp_path / "l.zarr", "volume", size_hw="16,16", length="8")
    with pytest.raises(ConfigurationMismatch, match="length: 8, trained on 6"):
        evaluate(tmp_path / "plain", longer)


def test_settings_are_checked_where_features_are_stored(
    actions: ActionFolder, tmp_path: Path
) -> None:
    render_store(actions.store, tmp_path / "f.zarr", "potion", **CANVAS)
    config = replace(CASES["potion"].config(), recipe_settings=("sigma=9",))
    with pytest.raises(InputError, match=r"potion with sigma=1\.0, not with sigma=9\.0; leave"):
        train(tmp_path / "f.zarr", tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_what_could_not_be_tested_is_not_trained(actions: ActionFolder, tmp_path: Path) -> None:
    config = replace(CASES["poseconv3d"].config(), test_settings=())
    with pytest.raises(InputError, match=r"tests need fixed ones; .* --test-set draw=test"):
        train(actions.store, tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_clips_of_several_classes_are_scored_by_map(tmp_path: Path) -> None:
    several = make_action_store(tmp_path, (("raise",), ("lean",), ("raise", "lean")))
    case = replace(
        CASES["jmrn"],
        sections={
            "loss.of_classes": "binary",
            "loss.contrast": "0.1",
            "loss.positives": "multi-label-weighted",
            "clips.hold_out": "0.25",
        },
    )
    config = case.config(epochs=3)
    result = train(several.store, tmp_path / "run", config)
    lines = [json.loads(each) for each in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert result.best_epoch in (1, 2, 3)
    assert all(0.0 < line["held_out_score"] <= 1.0 for line in lines)
    evaluation = evaluate(tmp_path / "run", several.store, EvaluateConfig(weights="best"))
    assert evaluation.predictions.made_with["weights"] == "best"
    told = json.loads((tmp_path / "run" / "evaluation-test.json").read_text())
    assert told["mean_average_precision"] == evaluation.mean_average_precision
    assert "accuracy" not in told
    found = evaluation.predictions
    assert found.labels[2] == (0, 1)
    np.testing.assert_allclose(found.probabilities, 1 / (1 + np.exp(-found.logits)), rtol=1e-5)
    with pytest.raises(InputError, match=r"4 of 12 clips have several .*loss\.of_classes=binary"):
        train(several.store, tmp_path / "other", CASES["jmrn"].config())


def test_people_in_boxes_are_scored_by_frame_map(tmp_path: Path) -> None:
    boxes = make_box_store(tmp_path)
    case = Case("jmrn", JMRN, "", {**CANVAS, "people": "box"})
    config = replace(case.config(epochs=8), loss=LossSettings(of_classes="binary", contrast=0.1))
    assert plan_train(boxes.store, config).shapes == {"p": (2, 18, 3, 16, 16)}
    train(boxes.store, tmp_path / "run", config)
    evaluation = evaluate(tmp_path / "run", boxes.store)
    found = evaluation.predictions
    assert found.boxes is not None
    assert found.times is not None
    assert found.boxes.shape == (8, 4)
    assert set(found.times.tolist()) == {0.5}
    told = json.loads((tmp_path / "run" / "evaluation-test.json").read_text())
    assert told["frame_mean_average_precision"] == evaluation.frame_mean_average_precision
    assert evaluation.frame_mean_average_precision is not None
    assert evaluation.frame_mean_average_precision > 0.6  # chance is a half


def test_poses_of_another_skeleton_are_refused(actions: ActionFolder, tmp_path: Path) -> None:
    other = make_action_store(tmp_path, skeleton="body-25", per_subset={"train": 2, "test": 2})
    train(actions.store, tmp_path / "run", CASES["potion"].config(epochs=1))
    with pytest.raises(ConfigurationMismatch, match="skeleton: 'body-25', trained on 'coco-17'"):
        evaluate(tmp_path / "run", other.store)
