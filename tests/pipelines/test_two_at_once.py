"""Two jobs on one store, in processes of their own: together they do the work about once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from chain import assert_equal_poses, markers, run_materialize

from posemill.storage.features import FeatureStore

NUM_CLIPS = 8
# A job that is at one shard at a time takes one that the other is at with 1/n where n are left:
# 1/8 + 1/7 + ... + 1, or 2.7 on the average. A worker that is at two shards of one video does 4.2
# twice on the average, and in 20,000 simulated runs more than 7 were 32 times.
MOST_TWICE = 7


def run_twice(*arguments: object) -> list[dict[str, Any]]:
    """The summaries of two processes that are started together."""
    command = [sys.executable, "-m", "posemill", *map(str, arguments), "--json"]
    jobs = [
        subprocess.Popen([*command, "--workers", "1"], stdout=subprocess.PIPE) for _ in range(2)
    ]
    outputs = [job.communicate()[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0]
    return [json.loads(output) for output in outputs]


def test_two_extractions_share_the_shards(catalog: Path, poses: Path, tmp_path: Path) -> None:
    out = tmp_path / "poses.zarr"
    options = ("--estimator", "figure", "--reproducible", "--shard-videos", 1)
    summaries = run_twice("extract", catalog, "-o", out, *options)
    assert sum(each["extracted_now"] for each in summaries) == NUM_CLIPS
    assert sum(each["extracted_twice"] for each in summaries) <= MOST_TWICE
    assert [each["ok"] for each in summaries] == [NUM_CLIPS, NUM_CLIPS]  # either saw all done
    assert len(markers(out)) == NUM_CLIPS
    assert len(list((out / "shards").glob("s*"))) == NUM_CLIPS  # who lost left nothing
    assert len(list((out / "plan").glob("*.parquet"))) == 1
    assert_equal_poses(out, poses)


def test_two_materializations_share_the_shards(poses: Path, tmp_path: Path) -> None:
    out, alone = tmp_path / "features.zarr", tmp_path / "alone.zarr"
    setting = "canvas_hw=12,16"
    summaries = run_twice("materialize", poses, "-o", out, "--recipe", "potion", "--set", setting)
    assert sum(each["rendered_now"] for each in summaries) == NUM_CLIPS
    assert [each["valid"] for each in summaries] == [NUM_CLIPS, NUM_CLIPS]
    run_materialize(poses, alone, "potion", setting)
    ours, theirs = FeatureStore.open(out), FeatureStore.open(alone)
    assert ours.rows() == theirs.rows()
    for name in (spec.name for spec in ours.specs):
        np.testing.assert_array_equal(ours.read(name, slice(None)), theirs.read(name, slice(None)))
    np.testing.assert_array_equal(ours.valid(), theirs.valid())
