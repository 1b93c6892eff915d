"""`export` and `exports` as their users see them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from export_stores import make_catalog, make_pose_store

LEFT_OUT = [
    "gone: left out, missing: gone.mp4: no frame",
    "broken: left out, quarantined: broken.mp4: no frame",
    "later: left out, not made",
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    make_pose_store(tmp_path / "poses.zarr", make_catalog(tmp_path / "catalog"))
    return tmp_path / "poses.zarr"


def test_a_line_tells_what_was_written_and_what_not(run, store: Path, tmp_path: Path) -> None:
    status, out, err = run("export", "coco", store, "-o", tmp_path / "out.json")
    assert status == 1
    assert out.startswith(f"{tmp_path / 'out.json'}: 3 videos, ")
    assert out.rstrip().endswith("; left out: 1 missing, 1 not made, 1 quarantined")
    assert "export: 3 of 3" in err
    assert [line for line in err.splitlines() if "left out" in line] == LEFT_OUT


def test_json_lists_all_and_the_classes(run, store: Path, tmp_path: Path) -> None:
    out_path = tmp_path / "out.pkl"
    status, out, _ = run("export", "pyskl", store, "-o", out_path, "--set", "people=1", "--json")
    told = json.loads(out)
    assert (status, told["clips"], told["classes"]) == (1, 4, ["nod", "run", "walk"])
    assert told["bytes"] == out_path.stat().st_size
    assert {each["id"]: each["why"] for each in told["left_out_items"]}["c/after"] == "unfit"
    assert len(pickle.loads(out_path.read_bytes())["annotations"]) == 4  # noqa: S301


def test_a_second_run_and_a_dry_run_write_nothing(run, store: Path, tmp_path: Path) -> None:
    out_path = tmp_path / "out.parquet"
    status, out, err = run("export", "parquet", store, "-o", out_path, "--dry-run")
    assert (status, out_path.exists()) == (0, False)
    assert out == (
        f"would export 3 videos to {out_path}; left out: 1 missing, 1 not made, 1 quarantined\n"
    )
    assert err.splitlines() == LEFT_OUT
    run("export", "parquet", store, "-o", out_path)
    before = out_path.read_bytes()
    status, _, err = run("export", "parquet", store, "-o", out_path)
    assert (status, out_path.read_bytes()) == (2, before)
    assert "is there already" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["piskl"], "no export is called 'piskl' (did you mean 'pyskl'?)"),
        (["coco", "--set", "x=1"], "export coco has no setting 'x'"),
        (["pyskl", "--set", "people=-1"], "people must be from 0 to 1000, got -1"),
        (["webdataset"], "export webdataset takes a feature store, and this is a pose store"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    run, store: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    kind, *options = arguments
    status, _, err = run("export", kind, store, "-o", tmp_path / "out", *options)
    assert (status, message in err) == (2, True)
    assert not (tmp_path / "out").exists()


def test_kinds_and_their_settings_are_listed(run) -> None:
    status, out, _ = run("exports")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        *("coco", "movement", "parquet", "pyskl", "webdataset"),
    ]
    _, out, _ = run("exports", "pyskl")
    assert "takes poses, makes a file" in out
    assert "labels=one\t" in out
    _, out, _ = run("exports", "webdataset", "--json")
    assert json.loads(out)["settings"]["shard_mb"]["default"] == "256"
