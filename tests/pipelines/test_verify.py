"""Every damage is found and named; a repair has the damaged part made again, and only that."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chain import assert_equal_poses, ignore, markers, run_extract, run_materialize

from posemill.errors import InputError
from posemill.pipelines.events import Event, ItemDone, StageEnded, StageStarted
from posemill.pipelines.materialize import MaterializeConfig, plan_materialize
from posemill.pipelines.verify import VerifyReport, verify
from posemill.schema import VideoStatus
from posemill.storage.commits import seal
from posemill.storage.features import FeatureStore
from posemill.storage.objects import LocalObjects
from posemill.storage.pose_records import commit_to_json
from posemill.storage.poses import PoseStore

RECIPE = "tempposeconv-j"
Damaging = Callable[[Path], None]


def check(store: Path, *, repair: bool = False) -> VerifyReport:
    return verify(store, repair=repair, on_event=ignore)


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES = [
    pytest.param(flip_a_bit, "has another CRC-32C", id="flipped"),
    pytest.param(cut, "bytes, expected", id="cut"),
    pytest.param(Path.unlink, "is missing", id="missing"),
]


@pytest.fixture
def store(poses: Path, tmp_path: Path) -> Path:
    """A copy of the pose store of four shards of two videos."""
    return Path(shutil.copytree(poses, tmp_path / "poses.zarr"))


def group_of(store: Path, shard_id: int) -> Path:
    (group,) = PoseStore.open(store).committed()[shard_id].files
    return store / "shards" / group


def ids_of(store: Path, shard_id: int) -> tuple[str, ...]:
    return tuple(video.id for video in PoseStore.open(store).shard_videos(shard_id))


def refuse(monkeypatch: pytest.MonkeyPatch, faults: Mapping[Path, int]) -> None:
    """Have the disk say so of these files when they are read."""
    real = LocalObjects.read

    def read(self: LocalObjects, name: str) -> bytes:
        fault = faults.get(self.root / name)
        if fault is not None:
            raise OSError(fault, os.strerror(fault), str(self.root / name))
        return real(self, name)

    monkeypatch.setattr(LocalObjects, "read", read)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_checked(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, kept = (group_of(store, shard) / "triplets/c/0/0/0" for shard in (0, 1))
    cut(group_of(store, 3) / "slot/c/0")
    with monkeypatch.context() as patch:
        refuse(patch, {lost: errno.EIO, kept: errno.EACCES})
        report = check(store, repair=True)
    gone, refused, short = report.damages
    assert gone.place == f"shards/{lost.relative_to(store / 'shards')}"
    assert gone.problem == "cannot be read (Input/output error)"
    assert gone.items == ids_of(store, 0)
    assert f"{kept}: the disk refused (Permission denied)" in refused.problem
    assert short.items == ids_of(store, 3)
    assert (report.num_damaged, report.num_mended, report.num_irreparable) == (3, 2, 1)
    assert not report.is_whole
    again = check(store)
    assert (again.damages, again.num_shards_to_do) == ((), 2)


@pytest.mark.parametrize("name", ["plan/000.parquet", "commits/s000001.g000.json"])
def test_a_refused_plan_or_record_is_named_and_the_others_are_checked(
    store: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    cut(group_of(store, 3) / "slot/c/0")
    with monkeypatch.context() as patch:
        refuse(patch, {store / name: errno.EACCES})
        refused, short = check(store).damages
    assert refused.place in name
    assert "Permission denied" in refused.problem
    assert short.place.endswith("slot/c/0")


def test_an_undamaged_store_is_whole(poses: Path) -> None:
    events: list[Event] = []
    report = verify(poses, on_event=events.append)
    assert report.is_whole
    assert report.damages == ()
    files = [path for path in poses.glob("shards/*/**/*") if path.is_file()]
    assert report.num_files == len(files)
    assert report.num_bytes == sum(path.stat().st_size for path in files)
    assert (report.num_shards, report.num_shards_to_do) == (4, 0)
    assert events[0] == StageStarted("verify", num_shards=4, num_items=4)
    done = [event.item_id for event in events if isinstance(event, ItemDone)]
    assert sorted(done) == sorted(markers(poses))
    assert isinstance(events[-1], StageEnded)


@pytest.mark.parametrize(("damage", "problem"), DAMAGES)
@pytest.mark.parametrize("file", ["triplets/c/0/0/0", "video_ptr/c/0", "zarr.json"])
def test_a_damaged_file_is_named_with_its_videos(
    store: Path, damage: Damaging, problem: str, file: str
) -> None:
    group = group_of(store, 1)
    damage(group / file)
    report = check(store)
    (found,) = report.damages
    assert found.place == f"shards/{group.name}/{file}"
    assert problem in found.problem
    assert found.items == ids_of(store, 1)
    assert not report.is_whole
    assert markers(store).keys() == {f"s{shard:06d}.g000.json" for shard in range(4)}


def test_a_repair_has_the_damaged_videos_made_again_and_only_them(
    store: Path, poses: Path, catalog: Path
) -> None:
    before = markers(store)
    flip_a_bit(group_of(store, 1) / "triplets/c/0/0/0")
    (group_of(store, 3) / "slot/c/0").unlink()
    report = check(store, repair=True)
    assert (len(report.damages), report.num_mended, report.is_whole) == (2, 2, True)
    again = check(store)
    assert (again.damages, again.num_shards_to_do, again.is_whole) == ((), 2, True)
    void = {i for i, e in PoseStore.open(store).entries().items() if e.status is VideoStatus.VOID}
    assert void == {*ids_of(store, 1), *ids_of(store, 3)}
    assert run_extract(catalog, store).num_made_videos == 4
    assert_equal_poses(store, poses)
    after = markers(store)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {
        f"s{shard:06d}.g{generation:03d}.json" for shard in (1, 3) for generation in (1, 2)
    }
    assert check(store).num_shards_to_do == 0


def test_void_videos_are_not_rendered_until_they_are_made_again(
    store: Path, features: Path
) -> None:
    config = MaterializeConfig(store, features, RECIPE)
    assert plan_materialize(config).num_shards_not_extracted == 0
    cut(group_of(store, 1) / "frame/c/0")
    check(store, repair=True)
    plan = plan_materialize(config)
    assert (plan.pending, plan.num_shards_not_extracted) == ((), 1)


@pytest.mark.parametrize("damage", [flip_a_bit, cut])
def test_a_damaged_record_is_found_and_its_shard_is_made_again(
    store: Path, damage: Damaging
) -> None:
    damage(store / "commits" / "s000002.g000.json")
    (found,) = check(store).damages
    assert found.place == "commits/s000002.g000.json"
    assert found.items == ids_of(store, 2)
    assert check(store, repair=True).num_mended == 1
    again = check(store)
    assert (again.damages, again.is_whole, again.num_shards_to_do) == ((), True, 1)
    assert again.superseded == ("commits/s000002.g000.json",)
    assert PoseStore.open(store).remainders()[2].video_ids == ids_of(store, 2)


def test_a_record_that_is_gone_is_a_shard_to_do(store: Path) -> None:
    (store / "commits" / "s000002.g000.json").unlink()
    report = check(store)
    assert (report.damages, report.num_shards, report.num_shards_to_do) == ((), 4, 1)


def test_rows_that_a_record_has_wrong_are_found(store: Path) -> None:
    opened = PoseStore.open(store)
    commit = opened.committed()[1]
    first, second = commit.entries
    wrong = replace(first, rows=(first.rows[0], first.rows[1] - 1))
    forged = replace(commit, entries=(wrong, second), marker_sha256="")
    (store / "commits" / "s000001.g000.json").write_bytes(seal(commit_to_json(forged)))
    (found,) = check(store).damages
    assert first.video_id in found.problem
    assert str(wrong.rows) in found.problem


def test_a_video_that_a_record_leaves_out_is_named(store: Path) -> None:
    commit = PoseStore.open(store).committed()[1]
    forged = replace(commit, entries=commit.entries[:1], marker_sha256="")
    (store / "commits" / "s000001.g000.json").write_bytes(seal(commit_to_json(forged)))
    (found,) = check(store).damages
    assert found.items == (commit.entries[1].video_id,)
    assert check(store, repair=True).is_whole
    assert PoseStore.open(store).remainders()[1].video_ids == ids_of(store, 1)[1:]


def test_a_damaged_plan_is_named_and_cannot_be_repaired(store: Path) -> None:
    flip_a_bit(store / "plan" / "000.parquet")
    report = check(store, repair=True)
    assert "000.parquet" in str(report.damages[0])
    assert not report.is_whole
    assert report.num_files > 0


def test_a_lost_part_of_the_layout_is_written_again(store: Path) -> None:
    whole = {part: (store / part / "zarr.json").read_bytes() for part in ("commits", "plan")}
    for part in whole:
        (store / part / "zarr.json").unlink()
    assert {found.place for found in check(store).damages} == {f"{p}/zarr.json" for p in whole}
    assert check(store, repair=True).is_whole
    assert {part: (store / part / "zarr.json").read_bytes() for part in whole} == whole
    assert check(store).damages == ()


def test_lost_shards_are_made_again_as_records_and_plans_tell(
    store: Path, poses: Path, catalog: Path
) -> None:
    shutil.rmtree(store / "shards")
    report = check(store)
    assert [str(found) for found in report.damages] == ["shards: is lost with all that was in it"]
    assert (report.is_whole, report.num_irreparable) == (False, 0)
    assert check(store, repair=True).is_whole
    assert check(store).num_shards_to_do == 4
    assert run_extract(catalog, store).num_made_videos == 8
    assert_equal_poses(store, poses)
    assert check(store).damages == ()


@pytest.mark.parametrize("part", ["commits", "plan"])
@pytest.mark.parametrize("repair", [False, True])
def test_lost_commits_or_plans_are_told_to_be_irreparable(
    store: Path, part: str, repair: bool
) -> None:
    shutil.rmtree(store / part)
    report = check(store, repair=repair)
    assert [found.place for found in report.damages] == [part]
    assert (report.is_whole, report.num_mended, report.num_irreparable) == (False, 0, 1)


def test_a_place_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a pose store or a feature store"):
        check(tmp_path)


@pytest.fixture(scope="module")
def made(poses: Path, catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "features.zarr"
    run_materialize(poses, out, RECIPE, workers=1)
    return out


@pytest.fixture
def features(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "features.zarr"))


def clips_of(features: Path, pose_shard: int) -> tuple[str, ...]:
    rows = FeatureStore.open(features).rows()
    return tuple(row.clip_id for row in rows if row is not None and row.pose_shard == pose_shard)


def file_of(features: Path, pose_shard: int, array: str) -> Path:
    files = FeatureStore.open(features).committed()[pose_shard].files
    (name,) = [name for name in files if name.startswith(f"{array}/")]
    return features / name


def test_undamaged_features_are_whole(made: Path) -> None:
    report = check(made)
    assert (report.kind, report.is_whole, report.num_shards) == ("features", True, 4)
    assert report.num_files > 0


@pytest.mark.parametrize(("damage", "problem"), DAMAGES)
@pytest.mark.parametrize("array", ["output", "valid"])
def test_damaged_features_are_named_with_their_clips_and_made_again(
    features: Path, made: Path, poses: Path, damage: Damaging, problem: str, array: str
) -> None:
    opened = FeatureStore.open(features)
    name = opened.specs[0].name if array == "output" else "valid"
    damage(file_of(features, 2, name))
    (found,) = check(features).damages
    assert problem in found.problem
    assert found.place.startswith(f"{name}/c/")
    assert found.items == clips_of(features, 2)
    assert check(features, repair=True).is_whole
    assert check(features).num_shards_to_do == 1
    if problem == "is missing":
        summary = run_materialize(poses, features, RECIPE, workers=1)
        assert summary.plan.num_clips_to_do == len(clips_of(features, 2))
        ours, theirs = FeatureStore.open(features), FeatureStore.open(made)
        for spec in ours.specs:
            np.testing.assert_array_equal(
                ours.read(spec.name, ours.valid()), theirs.read(spec.name, theirs.valid())
            )
        assert check(features).is_whole


@pytest.mark.parametrize("damage", [flip_a_bit, Path.unlink])
@pytest.mark.parametrize("name", ["label/c/0", "clip_id/zarr.json"])
def test_what_all_rows_share_is_checked_and_written_again(
    features: Path, damage: Damaging, name: str
) -> None:
    whole = (features / name).read_bytes()
    damage(features / name)
    (found,) = check(features).damages
    assert found.place.startswith(name.partition("/")[0])
    assert check(features, repair=True).is_whole
    assert (features / name).read_bytes() == whole
    assert check(features).damages == ()


def test_a_damaged_record_of_features_is_voided(features: Path) -> None:
    flip_a_bit(features / "commits" / "s000001.g000.json")
    (found,) = check(features).damages
    assert found.items == clips_of(features, 1)
    assert check(features, repair=True).is_whole
    assert 1 not in FeatureStore.open(features).committed()
