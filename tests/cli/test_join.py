"""`--recipe A,B` and `--with STORE`: several arrays of a clip for one network."""

import json
from pathlib import Path

from action_clips import make_action_store
from rendered_stores import render_store

MODEL = ("--model=pa3d", "--set=model.fusion=channels", "--set=model.width=2", "--threads=1")
SIZE = {"canvas_hw": "16,16", "length": "3"}


def test_recipes_and_stores_are_joined(run, tmp_path: Path) -> None:
    poses = make_action_store(tmp_path, per_subset={"train": 4, "test": 2}).store
    settings = [f"--recipe-set={key}={value}" for key, value in SIZE.items()]
    recipes = ["--recipe", "tempposeconv-j,tempposeconv-pdiff", *settings]
    told = run("train", poses, *MODEL, *recipes, "-o", tmp_path / "run", "--dry-run", "--json")
    shapes = {"joints": [3, 17, 16, 16], "part_differences": [2, 34, 16, 16]}
    assert json.loads(told[1])["shapes"] == shapes

    joints = render_store(poses, tmp_path / "j.zarr", "tempposeconv-j", **SIZE)
    changes = render_store(poses, tmp_path / "p.zarr", "tempposeconv-pdiff", **SIZE)
    both = (joints, "--with", changes)
    assert run("train", *both, *MODEL, "--epochs", 1, "-o", tmp_path / "run")[0] == 0
    status, out, _ = run("evaluate", tmp_path / "run", *both, "--json")
    assert status == 0
    assert json.loads(out)["views"] == 10
    status, _, error = run("evaluate", tmp_path / "run", joints)
    assert status != 0
    assert "trained on tempposeconv-j and tempposeconv-pdiff" in error
