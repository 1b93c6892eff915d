"""Dense maps from videos to the store through the child that estimates; what may befall them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from brightness import BrightnessEstimator
from chain import assert_equal_poses, ignore, index
from dense_stores import KEPT, keeping
from odd_maps import FAR_OFF_WIDTH, NOT_A_NUMBER_WIDTH
from poison import plant
from video_makers import Film, shoot

from posemill.errors import ConfigurationMismatch, EnvironmentFault, InputError
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.figure import create
from posemill.pipelines.extract import extract, plan_extract
from posemill.pipelines.pose_settings import require_kinds
from posemill.pipelines.retry import RetryConfig, retry
from posemill.pipelines.verify import verify
from posemill.schema import VideoStatus
from posemill.storage.poses import PoseStore
from posemill.storage.video import open_video

KINDS = KEPT.keep


def test_kept_maps_are_the_estimators_to_float16(some_videos: Path, dense_poses: Path) -> None:
    store, estimator = PoseStore.open(dense_poses), create(KEPT)
    entries = store.entries()
    assert entries["broken"].status is VideoStatus.QUARANTINED
    assert store.dense_kinds(entries["broken"]) == ()
    for video_id in ("people0", "people1", "tall", "one"):
        with open_video(some_videos / f"{video_id}.mp4") as reader:
            results = estimator.results([frame.rgb for frame in reader])
        found = store.read_dense(video_id)
        assert len(found.frame) == entries[video_id].frames_decoded == len(results)
        for kind in KINDS:
            expected = np.stack([result.dense[kind] for result in results]).astype(np.float16)
            np.testing.assert_array_equal(found.kept(kind)[:], expected)
    assert verify(dense_poses, on_event=ignore).is_whole


def test_the_poses_are_those_that_nothing_was_kept_beside(
    some_videos: Path, dense_poses: Path, tmp_path: Path
) -> None:
    plain = EstimatorOptions(reproducible=True)
    catalog = some_videos.parent / "catalog"
    extract(keeping(catalog, tmp_path / "plain.zarr", plain), ignore)
    assert_equal_poses(tmp_path / "plain.zarr", dense_poses)
    configuration = PoseStore.open(tmp_path / "plain.zarr").configuration
    assert not {"keep", "scales"} & configuration.keys()
    assert PoseStore.open(dense_poses).configuration["scales"] == [0.5, 1.0]
    with pytest.raises(ConfigurationMismatch, match="keep"):
        extract(keeping(catalog, tmp_path / "plain.zarr"), ignore)


def test_nothing_of_the_scratch_stays(
    some_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    extract(keeping(some_videos.parent / "catalog", tmp_path / "poses.zarr"), ignore)
    assert list((tmp_path / "cache" / "scratch").iterdir()) == []


def test_a_retry_keeps_what_the_store_keeps(
    some_videos: Path, dense_poses: Path, tmp_path: Path
) -> None:
    videos = Path(shutil.copytree(some_videos, tmp_path / "videos"))
    catalog = index(videos, tmp_path / "catalog")
    out = tmp_path / "poses.zarr"
    (videos / "one.mp4").rename(tmp_path / "away.mp4")
    extract(keeping(catalog, out), ignore)
    (tmp_path / "away.mp4").rename(videos / "one.mp4")
    retry(RetryConfig(out, statuses=(VideoStatus.MISSING,)), ignore)
    ours, theirs = PoseStore.open(out), PoseStore.open(dense_poses)
    for video_id in ("one", "tall"):
        for kind in KINDS:
            np.testing.assert_array_equal(
                ours.read_dense(video_id).kept(kind)[:], theirs.read_dense(video_id).kept(kind)[:]
            )


def test_a_damaged_map_is_made_again(dense_poses: Path, some_videos: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(dense_poses, tmp_path / "poses.zarr"))
    before = PoseStore.open(out).read_dense("tall").kept("parts")[:]
    lost = next(out.glob("shards/*/dense/*/parts/c/0"))
    shutil.rmtree(lost)
    report = verify(out, repair=True, on_event=ignore)
    assert [damage.problem for damage in report.damages] == ["is missing"]
    extract(keeping(some_videos.parent / "catalog", out), ignore)
    assert verify(out, on_event=ignore).is_whole
    np.testing.assert_array_equal(PoseStore.open(out).read_dense("tall").kept("parts")[:], before)


def test_a_scratch_that_is_lost_before_the_commit_fails_the_shard_and_condemns_nobody(
    some_videos: Path, dense_poses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    catalog, out = some_videos.parent / "catalog", tmp_path / "poses.zarr"
    config = keeping(catalog, out)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "scratch").write_text("a file where the folder should be")
    with pytest.raises(EnvironmentFault, match="scratch"):
        extract(config, ignore)
    assert PoseStore.open(out).committed() == {}
    (tmp_path / "cache" / "scratch").unlink()
    extract(config, ignore)
    assert_equal_poses(out, dense_poses)


def test_what_an_estimator_has_not_is_refused_before_any_work(
    some_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(plant(tmp_path / "plugin", "odd_maps"))
    options = EstimatorOptions(keep=frozenset({"parts", "joints"}))
    config = keeping(some_videos.parent / "catalog", tmp_path / "poses.zarr", options)
    for run in (plan_extract, lambda config: extract(config, ignore)):
        with pytest.raises(InputError, match=r"--keep parts: the estimator odd_maps .* but joints"):
            run(replace(config, estimator="odd_maps"))
    assert not (tmp_path / "poses.zarr").exists()
    with pytest.raises(InputError, match="brightness has no such dense maps, but none"):
        require_kinds(BrightnessEstimator(), frozenset({"joints"}))


def test_maps_that_are_no_numbers_condemn_their_video_and_values_far_off_are_clipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(plant(tmp_path / "plugin", "odd_maps"))
    for width in (NOT_A_NUMBER_WIDTH, FAR_OFF_WIDTH, 128):
        (tmp_path / "videos").mkdir(exist_ok=True)
        shoot(tmp_path / "videos" / f"{width}.mp4", Film(frames=9, width=width))
    catalog = index(tmp_path / "videos", tmp_path / "catalog")
    keep = EstimatorOptions(keep=frozenset({"joints"}))
    config = replace(keeping(catalog, tmp_path / "poses.zarr", keep), estimator="odd_maps")
    extract(config, ignore)
    store = PoseStore.open(tmp_path / "poses.zarr")
    entry = store.entries()[str(NOT_A_NUMBER_WIDTH)]
    assert (entry.status, entry.reason) == (VideoStatus.QUARANTINED, "failed")
    assert "6 of 6 values of the estimator's dense maps are not finite" in entry.message
    for width, value in ((FAR_OFF_WIDTH, 65504), (128, 128)):
        maps = store.read_dense(str(width)).kept("joints")
        np.testing.assert_array_equal(maps[:], np.full((9, 1, 2, 3), value))
    broken = replace(keep, parameters={"broken": "1"})
    with pytest.raises(EnvironmentFault, match=r"fails on a plain grey frame.* not finite"):
        extract(replace(config, out=tmp_path / "other.zarr", options=broken), ignore)
    assert PoseStore.open(tmp_path / "other.zarr").committed() == {}


def test_a_dry_run_tells_how_large_they_become(
    some_videos: Path, dense_poses: Path, tmp_path: Path
) -> None:
    catalog = some_videos.parent / "catalog"
    config = keeping(catalog, tmp_path / "new.zarr")
    found = plan_extract(config)
    assert found.dense is not None
    # figure sees 1280 x 720 px as 256 x 144: 17 and 36 maps of 64 x 36 cells, 64 of 16 x 9.
    per_frame = 2 * ((17 + 36) * 64 * 36 + 64 * 16 * 9)
    assert found.dense.bytes_per_frame == per_frame
    assert found.dense.num_frames == found.footage_seconds * 25
    told = json.loads(json.dumps(found.as_dict()))["dense_maps"]
    assert told["expected_bytes"] == round(found.footage_seconds * 25 * per_frame)
    assert told["assumed_frame_size"] == [1280, 720]
    assert plan_extract(keeping(catalog, tmp_path / "n.zarr", EstimatorOptions())).dense is None
    thinned = replace(
        config.decoding, frames=replace(config.decoding.frames, frame_step=5, long_edge=640)
    )
    found = plan_extract(replace(config, decoding=thinned))
    assert found.dense is not None
    assert found.dense.num_frames == found.footage_seconds * 5
    assert found.dense.size_wh == (640, 360)


def test_a_dry_run_of_a_store_that_has_some_tells_what_it_measured(
    some_videos: Path, dense_poses: Path, tmp_path: Path
) -> None:
    store = PoseStore.open(dense_poses)
    commits = store.committed().values()
    files = [item for c in commits for group in c.files.values() for item in group.items()]
    num_bytes = sum(file.num_bytes for name, file in files if name.startswith("dense/"))
    frames = sum(entry.frames_decoded for entry in store.entries().values())
    found = plan_extract(keeping(some_videos.parent / "catalog", dense_poses))
    assert found.dense is not None
    assert found.dense.bytes_per_frame == pytest.approx(num_bytes / frames)
    assert found.rates.bytes_per_person_frame < 500
