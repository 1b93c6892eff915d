"""The commands of the training stage as their users see them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from action_clips import ActionFolder, make_action_store
from potion_stores import make_potion_store

from posemill.models.create import model_names
from posemill.pipelines.presets import PRESETS

SMALL = ("--set", "model.width=4", "--set", "model.dropout=0", "--batch-size", "8", "--threads", 1)
POTION = ("--model", "potion", *SMALL)
POSES = (*POTION, "--recipe-set", "canvas_hw=16,16", "--batch-size", "4")


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(make_potion_store(tmp_path_factory.mktemp("features") / "f.zarr").url)


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> ActionFolder:
    return make_action_store(tmp_path_factory.mktemp("actions"))


def refused(told: tuple[int, str, str]) -> str:
    """The one line of an error, of exit status 2."""
    status, out, err = told
    assert status == 2, err
    assert out == ""
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0]


def test_train_and_evaluate_tell_in_a_line_or_as_json(run, features: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "x"
    command = ("train", features, "-o", out, *POTION, "--epochs", 2)
    status, said, err = run(*command)
    assert status == 0
    assert said.startswith(f"{out}: potion, 2 epochs on 24 clips, last loss ")
    assert "; 2 epochs now in " in said
    assert "epoch 2 of 2: loss " in err
    assert "% waiting for data" in err
    status, said, err = run(*command, "--json")
    assert (status, err) == (0, "")
    summary = json.loads(said)
    assert {key: summary[key] for key in ("clips", "classes", "epochs", "epochs_now")} == {
        "clips": 24,
        "classes": 3,
        "epochs": 2,
        "epochs_now": 0,
    }
    status, said, _ = run("evaluate", out, features)
    assert status == 0
    assert f"on 9 clips of test, 0 empty; {out}/evaluation-test.json" in said
    status, said, _ = run("evaluate", out, features, "--subset", "train", "--json")
    assert json.loads(said) == json.loads((out / "evaluation-train.json").read_text())
    status, said, _ = run("status", out)
    assert "epochs_done: 2" in said


def test_poses_are_rendered_by_the_model_s_own_recipe(
    run, actions: ActionFolder, tmp_path: Path
) -> None:
    status, said, err = run("train", actions.store, "-o", tmp_path / "x", *POSES, "--epochs", 1)
    assert status == 0, err
    config = json.loads((tmp_path / "x" / "config.json").read_text())
    told = config["identity"]["features"]["configuration"]["recipe"]
    assert (told["name"], told["settings"]["canvas_hw"]) == ("potion", [16, 16])
    options = ("--flip", "--drop-joint", "0.5", "-o", tmp_path / "scored", "--json")
    status, said, err = run("evaluate", tmp_path / "x", actions.store, *options)
    assert status == 0, err
    assert json.loads(said)["views"] == 2
    assert {path.name for path in (tmp_path / "scored").iterdir()} == {
        "evaluation-test.json",
        "predictions-test.parquet",
    }


def test_a_dry_run_counts_and_writes_nothing(run, features: Path, tmp_path: Path) -> None:
    command = ("train", features, "-o", tmp_path / "x", *POTION, "--epochs", 3, "--dry-run")
    status, said, err = run(*command)
    assert (status, err) == (0, "")
    assert "parameters) for 3 epochs on 24 clips of 3 classes: 9 steps" in said
    status, said, _ = run(*command, "--json")
    assert json.loads(said)["shapes"]["u"] == [17, 3, 16, 20]
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_file_gives_defaults(run, features: Path, tmp_path: Path) -> None:
    told = {"model": "potion", "epochs": 3, "set": {"model.width": 4, "optimizer.nesterov": False}}
    (tmp_path / "c.yaml").write_text(json.dumps(told))  # which is YAML, too
    command = ("train", features, "-o", tmp_path / "x", "--config", tmp_path / "c.yaml")
    status, said, _ = run(*command, "--epochs", 2, "--dry-run", "--json")
    assert (status, json.loads(said)["steps"]) == (0, 2)


def test_presets_are_listed_and_shown(run) -> None:
    status, said, _ = run("presets")
    assert status == 0
    assert [line.split()[0] for line in said.splitlines()] == list(PRESETS)
    status, said, _ = run("presets", "jmrn-hmdb51")
    assert status == 0
    assert "command: posemill train poses.zarr --preset jmrn-hmdb51 -o runs/jmrn-hmdb51" in said
    assert "\n  model.settings.cdim: 64\n" in said
    assert "\n  augmentation.crop_hw: (64, 86)\n" in said
    told = json.loads(run("presets", "pa3d-jhmdb", "--json")[1])
    assert told["config"]["recipe"] == "tempposeconv-j"
    assert set(json.loads(run("presets", "--json")[1])["presets"]) == set(PRESETS)
    assert "did you mean" in refused(run("presets", "jmrn-hmdb"))


def test_architectures_are_listed_and_shown(run) -> None:
    status, said, _ = run("architectures")
    assert status == 0
    assert all(name in said for name in model_names())
    status, said, _ = run("architectures", "jmrn")
    assert "reads: jmrn, potion" in said
    assert "cdim=128\t" in said
    told = json.loads(run("architectures", "pa3d", "--json")[1])
    assert "tempposeconv-j" in told["recipes"]
    assert "did you mean 'jmrn'?" in refused(run("architectures", "jmnr"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "give either --model, .* or --preset, .*; got neither"),
        (("--model", "potion", "--preset", "potion-jhmdb"), "got --model potion and --preset poti"),
        (("--model", "poton"), "did you mean 'potion'"),
        (("--preset", "potion-jhmbd"), "did you mean 'potion-jhmdb'"),
        ((*POTION, "--set", "width=8"), r"SECTION\.KEY=VALUE with one of the sections model, "),
        ((*POTION, "--set", "models.width=8"), "got models.width=8"),
        ((*POTION, "--set", "model.widht=8"), r"\(did you mean 'width'\?\)"),
        ((*POTION, "--set", "optimizer.rate=1"), "optimizer has no setting 'rate'"),
        ((*POTION, "--set", "model.depth=9"), "nearest is --set model.depth=8"),
        ((*POTION, "--set", "model.depth"), "--set model.depth: expected KEY=VALUE"),
        ((*POTION, "--set", "model.width=8"), "model.width is given twice"),
        ((*POTION, "--precision", "fp8"), "precision must be fp32 or bf16 or fp16, got fp8"),
        ((*POTION, "--freeze"), "give them with --init"),
        ((*POTION, "--init", "nothing"), "--init nothing: no checkpoint can be read there"),
        ((*POTION, "--device", "cuda:99"), "device 'cuda:99' cannot be used"),
        ((*POTION, "--device", "gpu"), "device 'gpu' cannot be used"),
        ((*POTION, "--split", "xsub"), "of a split 'xsub'; there are: default"),
        (
            (*POTION, "--subset", "val"),
            "no subset 'val' of a split 'default'; there are: default: train, test",
        ),
        (("--model", "jmrn", "--recipe", "volume"), "of the recipe 'potion', not of 'volume'"),
        ((*POTION, "--recipe-set", "sigma=2"), r"with sigma=1\.0, not with sigma=2\.0"),
        ((*POTION, "--recipe-set", "sigam=2"), "did you mean 'sigma'"),
        ((*POTION, "--recipe-set", "sigma"), "sigma"),
        (("--preset", "poseconv3d-ntu60-xsub"), "of the recipe 'potion', not of 'volume'"),
        (("--model", "poseconv3d"), "recipe 'potion'; the model poseconv3d reads volume or limb"),
        ((*POTION, "--set", "augmentation.crop_hw=8,8"), "8 x 8 px are too small for the model"),
        ((*POTION, "--set", "loss.contrast=1"), "potion with these settings gives none"),
        ((*POTION, "--set", "clips.hold_out=1"), "hold_out must be from 0 to 0.9, got 1"),
        ((*POTION, "--set", "augmentation.drop_joint=0.5"), "no joint can be dropped"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    run, features: Path, tmp_path: Path, options: Any, words: str
) -> None:
    line = refused(run("train", features, "-o", tmp_path / "x", *options))
    assert re.search(words, line), line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--init", "nothing"), "--init nothing: no checkpoint"),
        (("--set", "loss.contrast=1"), "with these settings gives none"),
        (("--set", "augmentation.crop_hw=8,8"), "8 x 8 px are too small"),
        (("--set", "augmentation.drop_joint=0.5"), "no joint can be dropped"),
    ],
)
def test_a_dry_run_refuses_what_training_would(
    run, features: Path, tmp_path: Path, options: Any, words: str
) -> None:
    command = ("train", features, "-o", tmp_path / "x", *POTION, *options, "--dry-run")
    assert words in refused(run(*command))


def test_stores_that_cannot_be_trained_on(run, actions: ActionFolder, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "x")
    assert "does not exist" in refused(run("train", tmp_path / "none", *out, *POTION))
    other = refused(run("train", actions.catalog, *out, *POTION))
    assert "no readable zarr.json" in other
    one = make_action_store(tmp_path / "one", [("raise",)], per_subset={"train": 3})
    assert "are of the class raise; give" in refused(run("train", one.store, *out, *POSES))
    alone = make_action_store(tmp_path / "alone", [("raise",), ("lean",)], per_subset={"val": 3})
    line = refused(run("train", alone.store, *out, *POSES))
    assert "no subset 'train'" in line
    assert "val" in line
    line = refused(run("train", actions.store, *out, "--model", "potion", "--recipe", "jmrn"))
    assert "recipe 'jmrn'; the model potion reads potion" in line
    drawn = ("--model", "poseconv3d", "--recipe-set", "draw=train")
    assert "--test-set draw=test" in refused(run("train", actions.store, *out, *drawn))
    assert "no clip of the catalog" in refused(
        run("train", actions.store, *out, "--preset", "jmrn-ava", "--split", "default")
    )
    nowhere = ("--catalog", tmp_path / "none")
    assert str(tmp_path / "none") in refused(run("train", actions.store, *out, *POSES, *nowhere))
    assert not (tmp_path / "x").exists()


def test_runs_that_cannot_go_on_or_be_scored(run, features: Path, tmp_path: Path) -> None:
    first, out = tmp_path / "first", ("-o", tmp_path / "x")
    assert run("train", features, "-o", first, *POTION, "--epochs", 1)[0] == 0
    before = sorted(tmp_path.rglob("*"))
    other = ("--model", "potion", "--set", "model.width=8", "--init", first)
    assert "is a checkpoint of another network" in refused(run("train", features, *out, *other))
    (tmp_path / "notes.pt").write_text("mine")
    notes = (*POTION, "--init", tmp_path / "notes.pt")
    assert "give the last.pt" in refused(run("train", features, *out, *notes))
    (tmp_path / "notes.pt").unlink()
    status, _, err = run("train", features, "-o", first, *POTION, "--epochs", 2)
    assert (status, "config.epochs: asked for 2" in err) == (2, True)
    wide = make_potion_store(tmp_path / "wide.zarr", channels=4).url
    status, _, err = run("evaluate", first, wide)
    assert (status, "channels: 4, trained on 3" in err) == (2, True)
    assert "no best epoch" in refused(run("evaluate", first, features, "--weights", "best"))
    assert "last or best, got 'first'" in refused(
        run("evaluate", first, features, "--weights", "first")
    )
    assert "no subset 'val'" in refused(run("evaluate", first, features, "--subset", "val"))
    lossy = ("evaluate", first, features, "--drop-joint", "0.5")
    assert "give another folder with -o" in refused(run(*lossy))
    assert "no joint can be dropped" in refused(run(*lossy, *out))
    # wave_left becomes wave_right in a mirror, so that their scores cannot be averaged.
    assert "test without the flip" in refused(run("evaluate", first, features, "--flip"))
    assert [path for path in sorted(tmp_path.rglob("*")) if "wide" not in str(path)] == before


def test_another_skeleton_is_named(run, actions: ActionFolder, tmp_path: Path) -> None:
    assert run("train", actions.store, "-o", tmp_path / "x", *POSES, "--epochs", 1)[0] == 0
    other = make_action_store(tmp_path, skeleton="body-25", per_subset={"train": 2, "test": 2})
    status, out, err = run("evaluate", tmp_path / "x", other.store)
    assert (status, out) == (2, "")
    assert "skeleton: 'body-25', trained on 'coco-17'" in err
    assert "Traceback" not in err
