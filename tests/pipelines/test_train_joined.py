"""PA3D over joints and part fields at once: trained and scored, on the fly and from two stores."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from action_clips import make_action_store
from rendered_stores import render_store

from posemill.errors import ConfigurationMismatch, InputError
from posemill.models.pa3d import Pa3dModel
from posemill.pipelines.data import Augmentation
from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.train import plan_train, train
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import ClipSettings, OptimizerSettings

J, P = "tempposeconv-j", "tempposeconv-p"
SETTINGS = {"canvas_hw": "24,24", "length": "6"}
STORED = TrainConfig(
    model=Pa3dModel(fusion="channels", outputs=3, width=8, dropout=0.0),
    epochs=1,
    batch_size=4,
    augmentation=Augmentation(flip=0.5, beta_px=1),
    optimizer=OptimizerSettings(learning_rate=1e-2),
)
FRESH = replace(
    STORED,
    epochs=6,
    recipe=f"{J},{P}",
    recipe_settings=(*(f"{key}={value}" for key, value in SETTINGS.items()), "draw=train"),
    test_settings=("draw=test",),
    clips=ClipSettings(hold_out=0.2),
)


@dataclass(frozen=True)
class Stores:
    poses: Path
    joints: Path
    parts: Path
    other_parts: Path
    """Of wider limbs."""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    root = tmp_path_factory.mktemp("joined")
    poses = make_action_store(root, per_subset={"train": 8, "test": 4}).store
    return Stores(
        poses,
        render_store(poses, root / "j", J, **SETTINGS),
        render_store(poses, root / "p", P, **SETTINGS),
        render_store(poses, root / "wide", P, **SETTINGS, half_width="2.0"),
    )


@pytest.fixture(scope="module")
def trained(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on both stores."""
    folder = tmp_path_factory.mktemp("run") / "stored"
    train(stores.joints, folder, STORED, joined=[stores.parts])
    return folder


def test_clips_rendered_on_the_fly_are_learnt(stores: Stores, tmp_path: Path) -> None:
    plan = plan_train(stores.poses, FRESH)
    assert plan.shapes == {"joints": (6, 17, 24, 24), "parts": (6, 34, 24, 24)}
    result = train(stores.poses, tmp_path / "run", FRESH)
    assert result.best_epoch is not None
    evaluation = evaluate(tmp_path / "run", stores.poses)
    assert evaluation.predictions.num_views == 10
    assert evaluation.accuracy == 1.0


def test_two_stores_give_what_the_poses_give(stores: Stores, trained: Path, tmp_path: Path) -> None:
    rendered = replace(STORED, recipe=FRESH.recipe, recipe_settings=FRESH.recipe_settings[:-1])
    train(stores.poses, tmp_path / "run", rendered)
    ours, theirs = (
        torch.load(run / "last.pt", weights_only=True)["network"]
        for run in (trained, tmp_path / "run")
    )
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_is_scored_on_its_stores_in_any_order(stores: Stores, trained: Path) -> None:
    first = evaluate(trained, stores.joints, EvaluateConfig(joined=(stores.parts,), flip=True))
    assert first.predictions.num_views == 20
    second = evaluate(trained, stores.parts, EvaluateConfig(joined=(stores.joints,), flip=True))
    assert second == first


def test_other_stores_than_those_of_the_training_are_refused(stores: Stores, trained: Path) -> None:
    with pytest.raises(ConfigurationMismatch, match=f"recipe: {J}, trained on {J} and {P}$"):
        evaluate(trained, stores.joints)
    wide = EvaluateConfig(joined=(stores.other_parts,))
    with pytest.raises(ConfigurationMismatch, match=rf"\n  {P}, half_width: 2.0, trained on 1.0$"):
        evaluate(trained, stores.joints, wide)


def test_what_the_model_cannot_read_together_is_refused(stores: Stores) -> None:
    with pytest.raises(InputError, match=r"stacks two .*, and a view has joints; render sev"):
        plan_train(stores.joints, STORED)
    scores = replace(STORED, model=replace(STORED.model, fusion="scores"))
    with pytest.raises(InputError, match=r"a view has joints and parts: train the model pa3d on"):
        plan_train(stores.joints, scores, joined=[stores.parts])
    with pytest.raises(InputError, match=f"{P} is given more than once"):
        plan_train(stores.parts, STORED, joined=[stores.other_parts])
    several = replace(FRESH, recipe=f"{J}, volume")
    with pytest.raises(InputError, match=r"only recipes tempposeconv-\* can be joined, got volume"):
        plan_train(stores.poses, several)
