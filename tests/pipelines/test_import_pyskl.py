"""Pickles of many clips as a pose store: each clip a video, the file's identity for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain import ignore, markers, run_materialize
from in_process import InThisProcess
from pyskl_files import annotation, write, write_annotations
from typer.testing import CliRunner

import posemill.pipelines.import_poses as import_module
import posemill.pipelines.retry as retry_module
from posemill.cli import app
from posemill.errors import InputError
from posemill.pipelines.import_poses import ImportConfig, import_poses, plan_import
from posemill.pipelines.import_settings import ImportSettings
from posemill.pipelines.pose_job import PoseSummary
from posemill.pipelines.retry import RetryConfig, retry
from posemill.pipelines.verify import verify
from posemill.storage.catalog import write_catalog
from posemill.storage.datasets.assemble import index_dataset
from posemill.storage.datasets.registry import create_dataset
from posemill.storage.formats.pyskl import PysklFormat
from posemill.storage.formats.pyskl_kinetics import PysklKineticsFormat
from posemill.storage.poses import PoseStore

NAMES = tuple(f"folder/clip {number}" for number in range(9))


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (import_module, retry_module):
        monkeypatch.setattr(module, "create_engine", lambda *_: InThisProcess())


def config(source: Path, out: Path, **changes: Any) -> ImportConfig:
    settings = ImportSettings(PysklFormat(), fps=30.0)
    return ImportConfig(source, out, **{"settings": settings, "videos_per_shard": 2} | changes)


def bring(source: Path, out: Path, **changes: Any) -> PoseSummary:
    return import_poses(config(source, out, **changes), ignore)


def put(path: Path, *, num_frames: int = 6) -> Path:
    notes = [annotation(name, num_frames=num_frames, label=place % 3)
             for place, name in enumerate(NAMES)]  # fmt: skip
    return write_annotations(path, notes, train=list(NAMES[:6]), test=list(NAMES[6:]))


def test_labels_and_poses_of_one_pickle_become_features(tmp_path: Path) -> None:
    path, out = put(tmp_path / "x.pkl"), tmp_path / "poses.zarr"
    catalog = index_dataset(create_dataset("pyskl"), [path], None).catalog
    write_catalog(tmp_path / "catalog", catalog)
    summary = bring(path, out, catalog=tmp_path / "catalog")
    assert summary.statuses == {"ok": 9}
    found = PoseStore.open(out).read(NAMES[4])
    np.testing.assert_allclose(found.xy_px[0, :, 0], 10.0 * np.arange(17), atol=0.05)
    assert (found.num_frames, found.width, found.height, found.skeleton) == (6, 320, 240, "coco-17")
    assert found.slot.tolist() == [0, 1] * 6
    made = run_materialize(out, tmp_path / "features.zarr", "potion", "canvas_hw=12,16", workers=1)
    assert made.num_valid == 9
    assert verify(out, on_event=ignore).is_whole


def test_a_second_run_does_nothing_and_a_file_that_changed_is_told(tmp_path: Path) -> None:
    path, out = put(tmp_path / "x.pkl"), tmp_path / "poses.zarr"
    assert bring(path, out).num_made_videos == 9
    before = markers(out)
    assert bring(path, out).num_made_videos == 0
    assert markers(out) == before
    put(path, num_frames=7)
    with pytest.raises(InputError, match=r"(?s)9 of the videos changed .*retry .* --changed"):
        bring(path, out)
    retry(RetryConfig(out, changed=True), ignore)
    assert PoseStore.open(out).read(NAMES[0]).num_frames == 7
    assert bring(path, out).num_made_videos == 0


def test_one_bad_clip_is_quarantined_by_its_name(tmp_path: Path) -> None:
    bad = annotation("nan", keypoint=np.full((2, 4, 17, 2), np.nan))
    notes = [annotation("a"), bad, annotation("T", total_frames=9), annotation("nobody", 0)]
    path, out = write(tmp_path / "x.pkl", notes), tmp_path / "poses.zarr"
    summary = bring(path, out, max_quarantined=1.0)
    assert summary.statuses == {"ok": 1, "quarantined": 2, "empty": 1}
    assert summary.not_whole["nan"].startswith(f"quarantined: {path}, annotation 1 ('nan'): keyp")
    assert "4 frames and total_frames is 9" in summary.not_whole["T"]


def test_the_limit_of_bytes_is_of_a_clip_not_of_its_file(tmp_path: Path) -> None:
    notes = [annotation("small"), annotation("large", num_frames=400)]
    path, out = write(tmp_path / "x.pkl", notes), tmp_path / "poses.zarr"
    plan = plan_import(config(path, out))
    assert sum(task.cost for task in plan.pending) < path.stat().st_size
    summary = bring(path, out, max_quarantined=1.0, max_bytes=20_000)
    assert summary.statuses == {"ok": 1, "quarantined": 1}
    assert "more than 20,000; raise --max-gib" in summary.not_whole["large"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([annotation("../../x")], r"x\.pkl, annotation 0: the id of a clip must be a plain"),
        ([annotation("a"), annotation("a")], r"annotation 1: the clip 'a' is there twice"),
        ({"annotations": [annotation("a", label=print)]}, r"byte \d+: names the global __buil"),
        ([annotation("a", num_joints=25)], "joints=body-25 or ntu-25. Correct the file or move"),
        ({}, "no poses of pyskl in it"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_before_anything_is_made(
    tmp_path: Path, content: Any, message: str
) -> None:
    path, out = write(tmp_path / "x.pkl", content), tmp_path / "poses.zarr"
    with pytest.raises(InputError, match=message):
        bring(path, out)
    path.write_bytes(put(tmp_path / "whole.pkl").read_bytes()[:-500])
    with pytest.raises(InputError, match=r"byte .* the file is cut short"):
        bring(path, out)
    assert not out.exists()


def test_a_clip_in_two_files_is_named(tmp_path: Path) -> None:
    put(tmp_path / "in" / "x.pkl")
    put(tmp_path / "in" / "y.pkl")
    with pytest.raises(InputError, match=r"given twice: \['folder/clip 0'"):
        bring(tmp_path / "in", tmp_path / "poses.zarr")


def test_kinetics_without_keypoints_of_a_clip_is_missing_until_they_come(tmp_path: Path) -> None:
    root, out = tmp_path / "k400", tmp_path / "poses.zarr"
    notes = []
    for name in ("a", "b"):
        note = annotation(name, num_frames=3, frame_inds=np.array([1, 3], np.int16))
        del note["keypoint"], note["keypoint_score"]
        notes.append(note)
    write_annotations(root / "index.pkl", notes)
    keypoint = np.full((2, 17, 3), 0.5, np.float16)
    write(root / "kpfiles" / "1.pkl", {"a": {"keypoint": keypoint}})
    settings = ImportSettings(PysklKineticsFormat(), fps=30.0)
    summary = bring(root, out, settings=settings)
    assert summary.statuses == {"ok": 1, "missing": 1}
    assert "has keypoints of 'b'" in summary.not_whole["b"]
    write(root / "kpfiles" / "2.pkl", {"b": {"keypoint": keypoint}})
    assert bring(root, out, settings=settings).num_made_videos == 0
    retry(RetryConfig(out), ignore)
    assert PoseStore.open(out).read("b").frame.tolist() == [0, 2]


def test_the_command_imports_a_pickle(tmp_path: Path) -> None:
    path, out = put(tmp_path / "x.pkl"), tmp_path / "poses.zarr"
    arguments = ["import", "pyskl", str(path), "-o", str(out), "--fps", "30", "--dry-run"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "would import 9 videos" in result.output
    result = CliRunner().invoke(app, ["formats", "pyskl"])
    assert "needs: --fps" in result.output
