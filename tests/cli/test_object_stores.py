"""The chain with its stores in a bucket, as its users type it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from chain import all_poses, assert_equal_poses, run_materialize

from posemill.storage import objects_remote
from posemill.storage.features import FeatureStore

FIGURE = (
    "--estimator",
    "figure",
    "--workers",
    "1",
    "--reproducible",
    "--shard-videos",
    "2",
    "--json",
)


def test_extract_and_materialize_from_bucket_to_bucket(
    run, bucket: str, catalog: Path, poses: Path, tmp_path: Path
) -> None:
    there, features = f"{bucket}/poses.zarr", f"{bucket}/features.zarr"
    for expected in (len(all_poses(poses)), 0):
        status, out, err = run("extract", catalog, "-o", there, *FIGURE)
        assert (status, json.loads(out)["extracted_now"]) == (0, expected), err
    assert_equal_poses(there, poses)
    for expected in (len(all_poses(poses)), 0):
        command = ("materialize", there, "-o", features, "--recipe", "potion", "--json")
        status, out, err = run(*command)
        assert (status, json.loads(out)["rendered_now"]) == (0, expected), err
    run_materialize(poses, tmp_path / "features.zarr", "potion")
    _assert_equal_features(features, tmp_path / "features.zarr")
    for place, kind in ((there, "poses"), (features, "features")):
        status, out, _ = run("status", place, "--json")
        assert (status, json.loads(out)["kind"]) == (0, kind)
        status, out, err = run("verify", place, "--json")
        assert (status, json.loads(out)["whole"]) == (0, True), err
        status, out, _ = run("gc", place, "--dry-run", "--json")
        assert (status, json.loads(out)["garbage"]) == (0, [])
    assert list(tmp_path.iterdir()) == [tmp_path / "features.zarr"]


def test_what_an_object_store_refuses_is_said(
    run, bucket: str, catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, _, err = run("extract", catalog, "-o", "s3://nowhere/x", *FIGURE)
    assert status == 2
    assert "s3://nowhere/x: there is no such bucket" in err
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setitem(objects_remote._RETRY, "max_retries", 0)
    status, _, err = run("extract", catalog, "-o", f"{bucket}/x", *FIGURE)
    assert status == 3
    assert f"{bucket}/x: the object store failed" in err
    assert "Check the network" in err


def _assert_equal_features(ours: str, theirs: Path) -> None:
    """Every object, byte for byte, and what is read of it."""
    mine, other = FeatureStore.open(ours), FeatureStore.open(theirs)
    assert mine.rows() == other.rows()
    for spec in mine.specs:
        rows = np.flatnonzero(mine.valid())
        assert rows.size
        assert np.array_equal(mine.read(spec.name, rows), other.read(spec.name, rows))
    assert {shard: commit.files for shard, commit in mine.committed().items()} == {
        shard: commit.files for shard, commit in other.committed().items()
    }
