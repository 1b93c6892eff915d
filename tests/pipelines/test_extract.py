"""Extraction with the real estimator `figure` on real (small) videos, and what may befall it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from chain import (
    all_poses,
    assert_equal_poses,
    extract_config,
    ignore,
    index,
    markers,
    run_extract,
)
from kills import kill_half_way

from posemill.errors import ConfigurationMismatch, EnvironmentFault, InputError
from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.events import Event, ItemDone, ShardEnded, StageStarted
from posemill.pipelines.extract import ExtractConfig, extract, plan_extract
from posemill.schema import VideoStatus
from posemill.storage.identity import file_identity
from posemill.storage.poses import PoseStore
from posemill.transforms.oks import oks_matrix


def command(catalog: Path, out: Path, *, videos: int = 2, workers: int = 1) -> list[str]:
    """The command line of `run_extract`, in a process of its own."""
    return [
        *(sys.executable, "-m", "posemill", "extract", str(catalog), "-o", str(out)),
        *("--estimator", "figure", "--reproducible"),
        *("--shard-videos", str(videos), "--workers", str(workers)),
    ]


def test_poses_are_of_every_frame_and_near_the_truth(videos: Path, poses: Path) -> None:
    found = all_poses(poses)
    assert len(found) == 8
    similarity = []
    for video_id, pose in found.items():
        truth = np.load(videos / f"{video_id}.npz")
        assert pose.num_frames == len(truth["xy_px"])
        assert (pose.width, pose.height) == (256, 192)
        np.testing.assert_allclose(np.diff(pose.pts_seconds), 1 / 24, atol=1e-3)
        frame = pose.num_frames // 2
        rows = slice(*pose.frame_ptr[frame : frame + 2])
        seen = truth["visible"][frame].sum(axis=1) >= 8
        best = oks_matrix(
            truth["xy_px"][frame][seen],
            truth["visible"][frame][seen].astype(np.float32),
            pose.xy_px[rows],
            pose.score[rows],
        )
        similarity += best.max(axis=1, initial=0.0).tolist()
    assert np.mean(similarity) > 0.6


def test_the_second_run_redoes_nothing(catalog: Path, poses: Path) -> None:
    before = markers(poses)
    summary = run_extract(catalog, poses)
    assert summary.num_made_videos == 0
    assert summary.statuses == {"ok": 8}
    assert markers(poses) == before


def test_workers_and_shards_do_not_change_the_poses(
    catalog: Path, poses: Path, tmp_path: Path
) -> None:
    run_extract(catalog, tmp_path / "one.zarr", workers=1, videos_per_shard=8)
    assert_equal_poses(tmp_path / "one.zarr", poses)


def test_a_dry_run_tells_and_writes_nothing(catalog: Path, poses: Path, tmp_path: Path) -> None:
    plan = plan_extract(extract_config(catalog, tmp_path / "new.zarr")).plan
    assert (plan.num_videos, plan.num_shards, len(plan.pending)) == (8, 4, 4)
    assert list(tmp_path.iterdir()) == []
    assert plan_extract(extract_config(catalog, poses)).plan.pending == ()


def test_events_tell_of_every_video(catalog: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    extract(extract_config(catalog, tmp_path / "poses.zarr"), events.append)
    assert StageStarted("extract", num_shards=4, num_items=8) in events
    assert len({event.item_id for event in events if isinstance(event, ItemDone)}) == 8
    assert len([event for event in events if isinstance(event, ShardEnded)]) == 4


@pytest.fixture(scope="module")
def bad_store(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with one good video and six troubles, and the poses that were got from it."""
    root = tmp_path_factory.mktemp("bad") / "videos"
    (root / "a").mkdir(parents=True)
    (root / "b").mkdir()
    good = sorted(videos.rglob("*.mp4"))[0]
    shutil.copy(good, root / "a" / "same_name.mp4")
    shutil.copy(sorted(videos.rglob("*.mp4"))[1], root / "b" / "same_name.mp4")
    (root / "a" / "zero_bytes.mp4").touch()
    (root / "a" / "text.mp4").write_text("this is no video\n" * 100)
    (root / "b" / "cut.mp4").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    shutil.copy(good, root / "b" / "goes_away.mp4")
    write_grey_video(root / "b" / "nobody.mp4")
    catalog = index(root, root.parent / "catalog")
    (root / "b" / "goes_away.mp4").unlink()
    run_extract(catalog, root.parent / "poses.zarr")
    return catalog, root.parent / "poses.zarr"


def write_grey_video(path: Path) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24.0, (128, 96))
    for _ in range(12):
        writer.write(np.full((96, 128, 3), 128, np.uint8))
    writer.release()


def test_bad_videos_are_set_aside_by_name_and_the_others_complete(
    bad_store: tuple[Path, Path],
) -> None:
    entries = PoseStore.open(bad_store[1]).entries()
    assert {video_id: str(entry.status) for video_id, entry in entries.items()} == {
        "a/same_name": "ok",
        "b/same_name": "ok",
        "a/zero_bytes": "quarantined",
        "a/text": "quarantined",
        "b/cut": "quarantined",  # an .mp4 cut short has lost its index of frames
        "b/goes_away": "missing",
        "b/nobody": "empty",
    }
    for video_id in ("a/zero_bytes", "a/text"):
        assert entries[video_id].reason == "unreadable"
        assert f"{video_id}.mp4" in entries[video_id].message
    assert "goes_away.mp4" in entries["b/goes_away"].message
    assert entries["b/nobody"].frames_decoded == 12


def test_equal_file_names_in_two_folders_stay_apart(
    bad_store: tuple[Path, Path], videos: Path
) -> None:
    store = PoseStore.open(bad_store[1])
    first, second = store.read("a/same_name"), store.read("b/same_name")
    assert first.num_rows != second.num_rows or not np.array_equal(first.xy_px, second.xy_px)


def test_another_configuration_is_refused_and_named(catalog: Path, poses: Path) -> None:
    config = ExtractConfig(catalog, poses, "figure", EstimatorOptions(reproducible=False))
    with pytest.raises(ConfigurationMismatch, match=r"reproducible: asked for False.*True"):
        extract(config, ignore)


@pytest.mark.parametrize("kind", ["a file", "a folder of something else"])
def test_an_output_that_is_no_store_is_refused(catalog: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "a file":
        out.touch()
    else:
        out.mkdir()
        (out / "thesis.txt").touch()
    with pytest.raises(InputError, match=r"out.*poses"):
        run_extract(catalog, out)


def test_an_output_that_cannot_be_written_is_refused(catalog: Path) -> None:
    with pytest.raises(InputError, match="no store can be made there"):
        run_extract(catalog, Path("/proc/poses.zarr"))


def test_an_unknown_estimator_is_refused_with_the_known_ones(catalog: Path, tmp_path: Path) -> None:
    config = ExtractConfig(catalog, tmp_path / "poses.zarr", "nope")
    with pytest.raises(InputError, match=r"'nope'.*blazepose, figure"):
        extract(config, ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_grown_catalog_adds_shards_and_leaves_the_others(
    videos: Path, poses: Path, tmp_path: Path
) -> None:
    root = tmp_path / "videos"
    shutil.copytree(videos / "train", root / "train")
    out = tmp_path / "poses.zarr"
    run_extract(index(root, tmp_path / "catalog"), out)
    before = markers(out)
    assert len(before) == 3
    shutil.copytree(videos / "test", root / "test")
    summary = run_extract(index(root, tmp_path / "catalog"), out)
    assert summary.num_made_videos == 2
    after = markers(out)
    assert {name: after[name] for name in before} == before
    assert len(PoseStore.open(out).plans()) == 2
    assert_equal_poses(out, poses)


def test_a_video_that_changed_stops_the_job(videos: Path, tmp_path: Path) -> None:
    root = tmp_path / "videos"
    shutil.copytree(videos / "test", root)
    run_extract(index(root, tmp_path / "catalog"), tmp_path / "poses.zarr")
    first, second = sorted(root.rglob("*.mp4"))
    shutil.copy(second, first)
    config = extract_config(index(root, tmp_path / "catalog"), tmp_path / "poses.zarr")
    before = markers(tmp_path / "poses.zarr")
    for run in (plan_extract, lambda config: extract(config, ignore)):
        with pytest.raises(InputError, match="1 of the videos changed since their poses") as caught:
            run(config)
        named = first.relative_to(root).with_suffix("").as_posix()
        assert f"\n  {named}: " in str(caught.value)
        assert f", now {second.stat().st_size:,} bytes of" in str(caught.value)
        assert f"posemill retry {tmp_path / 'poses.zarr'} --changed" in str(caught.value)
    assert markers(tmp_path / "poses.zarr") == before


def test_a_video_that_was_touched_may_be_taken_as_the_same(videos: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "videos", tmp_path / "poses.zarr"
    shutil.copytree(videos / "test", root)
    run_extract(index(root, tmp_path / "catalog"), out)
    touched = sorted(root.rglob("*.mp4"))[0]
    os.utime(touched, ns=(0, touched.stat().st_mtime_ns + 10**9))
    config = extract_config(index(root, tmp_path / "catalog"), out)
    with pytest.raises(InputError, match="the same but for the time"):
        extract(config, ignore)
    assert extract(replace(config, ignore_times=True), ignore).num_made_videos == 0


def test_a_dataset_that_was_copied_is_the_same_without_its_times(
    videos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "poses.zarr"
    shutil.copytree(videos / "test", tmp_path / "one", copy_function=shutil.copy2)
    run_extract(index(tmp_path / "one", tmp_path / "catalog"), out)
    shutil.copytree(videos / "test", tmp_path / "two", copy_function=shutil.copyfile)
    config = extract_config(index(tmp_path / "two", tmp_path / "catalog"), out)
    with pytest.raises(InputError, match="only their times differ: --ignore-times"):
        extract(config, ignore)
    assert extract(replace(config, ignore_times=True), ignore).num_made_videos == 0


def test_a_file_that_changed_before_it_was_extracted_is_known_as_it_was_then(
    videos: Path, tmp_path: Path
) -> None:
    root, out = tmp_path / "videos", tmp_path / "poses.zarr"
    shutil.copytree(videos / "test", root)
    catalog = index(root, tmp_path / "catalog")
    first, second = sorted(root.rglob("*.mp4"))
    shutil.copy(second, first)
    run_extract(catalog, out)
    video_id = first.relative_to(root).with_suffix("").as_posix()
    assert PoseStore.open(out).entries()[video_id].identity == file_identity(first)
    assert run_extract(index(root, tmp_path / "catalog"), out).num_made_videos == 0


def test_an_unmounted_folder_condemns_no_video(videos: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "videos", tmp_path / "poses.zarr"
    shutil.copytree(videos / "test", root)
    catalog = index(root, tmp_path / "catalog")
    root.rename(tmp_path / "elsewhere")
    for make in (lambda: None, root.mkdir):  # not there; there and empty, as a mount point is
        make()
        with pytest.raises(EnvironmentFault, match=r"videos is not there or empty; mount it"):
            run_extract(catalog, out)
    assert markers(out) == {}
    root.rmdir()
    (tmp_path / "elsewhere").rename(root)
    assert run_extract(catalog, out).statuses == {"ok": 2}


def test_videos_that_moved_are_found_by_their_new_catalog(videos: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "videos", tmp_path / "poses.zarr"
    shutil.copytree(videos / "test", root)
    catalog = index(root, tmp_path / "catalog")
    shutil.move(root, tmp_path / "moved")
    with pytest.raises(EnvironmentFault):
        run_extract(catalog, out)  # plans, and finds nothing there
    summary = run_extract(index(tmp_path / "moved", tmp_path / "catalog"), out)
    assert summary.statuses == {"ok": 2}
    assert len(PoseStore.open(out).plans()) == 1


def test_shards_of_another_catalog_are_left_alone(videos: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "videos", tmp_path / "poses.zarr"
    shutil.copytree(videos / "test", root)
    catalog = index(root, tmp_path / "catalog")
    shutil.move(root, tmp_path / "away")
    with pytest.raises(EnvironmentFault):
        run_extract(catalog, out)
    other = tmp_path / "other"
    shutil.copytree(videos / "train" / "bow_fast", other / "bow_fast_again")
    summary = run_extract(index(other, tmp_path / "other_catalog"), out)
    assert summary.plan.num_other_shards == 1
    assert summary.statuses == {"ok": 1}


def test_a_video_that_a_new_index_lacks_is_missing_and_its_shard_is_done(
    videos: Path, tmp_path: Path
) -> None:
    root, out = tmp_path / "videos", tmp_path / "poses.zarr"
    shutil.copytree(videos / "test", root)
    catalog = index(root, tmp_path / "catalog")
    shutil.move(root, tmp_path / "away")
    with pytest.raises(EnvironmentFault):
        run_extract(catalog, out)  # plans a shard of both, and does neither
    shutil.move(tmp_path / "away", root)
    gone, kept = (path.relative_to(root).with_suffix("") for path in sorted(root.rglob("*.mp4")))
    (root / gone).with_suffix(".mp4").unlink()
    summary = run_extract(index(root, tmp_path / "catalog"), out)
    assert summary.plan.num_other_shards == 0
    assert summary.statuses == {"ok": 1, "missing": 1}
    message = summary.not_whole[gone.as_posix()]
    assert message.startswith(f"missing: {(root / gone).with_suffix('.mp4')} is not there")
    assert PoseStore.open(out).entries()[kept.as_posix()].status is VideoStatus.OK


def test_ids_of_two_datasets_that_collide_are_refused(videos: Path, tmp_path: Path) -> None:
    first, second = sorted(videos.rglob("*.mp4"))[:2]
    for name, video in (("a", first), ("b", second)):
        (tmp_path / name).mkdir()
        shutil.copy(video, tmp_path / name / "0000.mp4")
    run_extract(index(tmp_path / "a", tmp_path / "catalog_a"), tmp_path / "poses.zarr")
    with pytest.raises(InputError, match=r"the id '0000' is of .*b/0000.mp4.*a/0000.mp4"):
        run_extract(index(tmp_path / "b", tmp_path / "catalog_b"), tmp_path / "poses.zarr")


def test_killed_half_way_the_same_command_completes(
    catalog: Path, poses: Path, tmp_path: Path
) -> None:
    out = tmp_path / "poses.zarr"
    slowly = command(catalog, out, videos=1)
    before = kill_half_way(slowly, out, num_shards=8)
    subprocess.run(slowly, check=True)
    after = markers(out)
    assert len(after) == 8
    assert {name: after[name] for name in before} == before
    assert_equal_poses(out, poses)


def test_statuses_with_frames_are_those_that_can_be_read() -> None:
    assert [status for status in VideoStatus if status.has_frames] == ["ok", "empty", "damaged"]


def test_a_store_tells_what_made_it_and_a_commit_which_attempt(poses: Path) -> None:
    attributes = json.loads((poses / "zarr.json").read_text())["attributes"]
    assert attributes["versions"]["numpy"] == np.__version__
    for commit in PoseStore.open(poses).committed().values():
        assert commit.attempt is not None
        assert commit.attempt.versions == attributes["versions"]
        assert commit.attempt.seconds > 0
        # The fixtures' lengths are not known to a catalog: two videos' bytes at 2 Mbit/s.
        planned = PoseStore.open(poses).shard_videos(commit.shard_id)
        expected = sum(video.num_bytes for video in planned) / 250_000
        assert commit.attempt.cost == pytest.approx(expected, abs=1e-3)
