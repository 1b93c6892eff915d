from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from committed_files import check_every_byte
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posemill.errors import ConfigurationMismatch, EnvironmentFault, InputError, StoreCorrupted
from posemill.schema import PoseSequence, Video, VideoStatus
from posemill.storage.commits import RecordName
from posemill.storage.objects import LocalObjects
from posemill.storage.pose_group import PoseGroup, write_group
from posemill.storage.poses import PlanTable, PoseStore, VideoRecord, attempt_of

MakePoses = Callable[..., PoseSequence]
MakeRecord = Callable[..., VideoRecord]
CONFIGURATION = {"estimator": {"name": "figure", "threshold": 0.5}, "sizes": (1, 2)}


@pytest.fixture
def store(tmp_path: Path) -> PoseStore:
    return PoseStore.create(tmp_path / "poses.zarr", CONFIGURATION, catalog_hint="/data/catalog")


def _assert_same(found: PoseSequence, written: PoseSequence) -> None:
    detected = written.score > 0
    assert found.skeleton == written.skeleton
    assert (found.width, found.height) == (written.width, written.height)
    assert found.frames_declared == written.frames_declared
    assert np.array_equal(found.frame, written.frame)
    assert np.array_equal(found.slot, written.slot)
    assert np.allclose(found.pts_seconds, written.pts_seconds, rtol=0, atol=0.5e-6)
    assert np.array_equal(found.score > 0, detected)
    assert (np.abs(found.xy_px - written.xy_px)[detected] <= 1 / 32).all()
    assert (np.abs(found.score - written.score) <= 1 / 255).all()
    assert (found.xyz_m is None) == (written.xyz_m is None)
    if found.xyz_m is not None and written.xyz_m is not None:
        assert found.xyz_m.dtype == np.float32
        assert np.array_equal(found.xyz_m[detected], written.xyz_m[detected])
        assert not found.xyz_m[~detected].any()


def test_a_shard_comes_back_in_plan_order(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    records = [
        make_record("z", make_poses(5, 2, seed=1)),
        make_record("gone", status=VideoStatus.MISSING),
        make_record("nobody", make_poses(3, 0), status=VideoStatus.EMPTY),
        make_record("bad", status=VideoStatus.QUARANTINED),
        make_record("a", make_poses(2, 3, seed=2, width=64), status=VideoStatus.DAMAGED),
    ]
    assert store.write_shard(12, records)
    read = list(store.iter_shard(store.current(12)))
    assert [entry.video_id for entry, _ in read] == ["z", "gone", "nobody", "bad", "a"]
    for (entry, poses), record in zip(read, records, strict=True):
        assert entry.shard_id == 12
        for name in (
            "status",
            "reason",
            "message",
            "identity",
            "frames_decoded",
            "frames_declared",
        ):
            assert getattr(entry, name) == getattr(record, name)
        assert (poses is None) == (record.poses is None)
        if poses is not None and record.poses is not None:
            _assert_same(poses, record.poses)
            _assert_same(store.read(entry.video_id), record.poses)
    assert [entry.rows for entry, _ in read] == [(0, 10), (10, 10), (10, 10), (10, 10), (10, 16)]


def _only_group(store: PoseStore) -> Path:
    (group,) = [path for path in (Path(store.url) / "shards").iterdir() if path.is_dir()]
    return group


@st.composite
def pose_sequences(draw: st.DrawFn) -> PoseSequence:
    num_frames = draw(st.integers(0, 3))
    people = draw(st.lists(st.integers(0, 2), min_size=num_frames, max_size=num_frames))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    num_rows = sum(people)
    frame = np.repeat(np.arange(num_frames), people)
    slot = rng.integers(0, 65536, num_rows)
    score = rng.random((num_rows, 17), dtype=np.float32)
    score[rng.random(score.shape) < 0.4] = 0
    xy_px = rng.uniform(-256, 3839, (num_rows, 17, 2)).astype(np.float32)
    xyz_m = rng.normal(0, 1e3, (num_rows, 17, 3)).astype(np.float32)
    xy_px[score == 0] = np.nan
    xyz_m[score == 0] = np.nan
    return PoseSequence(
        skeleton="coco-17",
        xy_px=xy_px,
        score=score,
        frame=frame,
        slot=slot[np.lexsort((slot, frame))],
        pts_seconds=np.cumsum(rng.uniform(1e-3, 10, num_frames)),
        width=draw(st.integers(1, 3840)),
        height=draw(st.integers(1, 3840)),
        frames_declared=draw(st.integers(0, 10**6)),
        xyz_m=draw(st.sampled_from([xyz_m, None])),
    )


@given(st.lists(pose_sequences() | st.none(), min_size=1, max_size=3))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_poses_come_back(
    tmp_path: Path, make_record: MakeRecord, poses: list[PoseSequence | None]
) -> None:
    shutil.rmtree(tmp_path / "any.zarr", ignore_errors=True)
    store = PoseStore.create(tmp_path / "any.zarr", {})
    statuses = [
        VideoStatus.MISSING
        if pose is None
        else VideoStatus.OK
        if pose.num_rows
        else VideoStatus.EMPTY
        for pose in poses
    ]
    records = [
        make_record(f"v{number}", pose, status=status)
        for number, (pose, status) in enumerate(zip(poses, statuses, strict=True))
    ]
    assert store.write_shard(0, records)
    for (_, found), written in zip(store.iter_shard(store.current(0)), poses, strict=True):
        assert (found is None) == (written is None)
        if found is not None and written is not None:
            _assert_same(found, written)


def test_a_large_frame_takes_a_coarser_step(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    large = make_poses(2, 1, width=7680, height=4320)
    store.write_shard(0, [make_record("small", make_poses()), make_record("large", large)])
    found = store.read("large")
    error = np.abs(found.xy_px - large.xy_px)[large.score > 0]
    assert 1 / 32 < error.max() <= 1 / 16
    group = _only_group(store)
    assert zarr.open_array(group / "scale", mode="r")[...].tolist() == [1 / 16, 1 / 8]


def test_the_layout_is_open_to_others(store: PoseStore, make_record: MakeRecord) -> None:
    store.write_shard(3, [make_record("a"), make_record("b")])
    root = zarr.open_group(Path(store.url), mode="r")
    assert root.attrs["kind"] == "posemill-poses"
    assert sorted(name for name, _ in root.members()) == ["commits", "plan", "shards"]
    ((name, group),) = root["shards"].members()  # type: ignore[union-attr]
    assert attempt_of(name) == RecordName(3, 0)
    assert len(name) == len("s000003.g000-") + 12
    assert group["triplets"].shape == (16, 17, 3)
    assert group["triplets"].dtype == np.uint16
    assert group["triplets"].metadata.dimension_names == ("row", "keypoint", "component")
    assert group["video_ptr"][...].tolist() == [0, 8, 16]
    assert group["frame_ptr"][...].tolist() == [0, 4, 8]
    assert group["size_wh"][...].tolist() == [[320, 240]] * 2
    assert group["pts_us"][:4].tolist() == [0, 40000, 80000, 120000]
    assert group.attrs["skeleton"] == "coco-17"


def test_some_videos_of_a_shard_have_3d_positions(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    nobody = make_poses(3, 0, with_xyz=True)
    records = [
        make_record("flat", make_poses(seed=1)),
        make_record("deep", make_poses(seed=2, with_xyz=True)),
        make_record("gone", status=VideoStatus.MISSING),
        make_record("nobody", nobody, status=VideoStatus.EMPTY),
    ]
    store.write_shard(0, records)
    for read in (
        store.read,
        lambda name: {e.video_id: p for e, p in store.iter_shard(store.current(0))}[name],
    ):
        _assert_same(read("flat"), make_poses(seed=1))
        _assert_same(read("deep"), make_poses(seed=2, with_xyz=True))
        _assert_same(read("nobody"), nobody)
    group = zarr.open_group(_only_group(store), mode="r")
    assert group["has_xyz_m"][...].tolist() == [False, True, False, True]  # type: ignore[index]
    assert group["xyz_m"].metadata.dimension_names == (  # type: ignore[union-attr]
        *("row", "keypoint", "space"),
    )
    assert not group["xyz_m"][:8].any()  # type: ignore[index]
    check_every_byte(store, store.committed()[0])


def test_a_store_knows_whether_any_video_has_3d_positions(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    assert not store.has_3d()
    store.write_shard(0, [make_record("flat", make_poses(seed=1))])
    assert not store.has_3d()
    store.write_shard(1, [make_record("deep", make_poses(seed=2, with_xyz=True))])
    assert store.has_3d()


def test_a_later_generation_may_bring_3d_positions(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    """The carried video's group has none: a group as it was written before there were any."""
    flat, deep = make_poses(seed=1), make_poses(seed=2, with_xyz=True)
    store.write_shard(0, [make_record("flat", flat), make_record("deep", flat)])
    assert not list(_only_group(store).glob("*xyz*"))
    store.write_shard(0, [make_record("deep", deep)], generation=1)
    found = {entry.video_id: poses for entry, poses in store.iter_shard(store.current(0))}
    _assert_same(found["flat"], flat)  # type: ignore[arg-type]
    _assert_same(found["deep"], deep)  # type: ignore[arg-type]


def test_an_array_that_is_not_known_is_ignored(
    tmp_path: Path, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    write_group(LocalObjects(tmp_path / "group"), [make_record("a", make_poses())], 0)
    group = zarr.open_group(tmp_path / "group", mode="r+")
    group.create_array("mood", shape=(8,), dtype="int8")
    _assert_same(PoseGroup(LocalObjects(tmp_path / "group")).read(0), make_poses())


@pytest.mark.parametrize("name", ["xyz_m", "has_xyz_m"])
def test_one_of_the_3d_arrays_alone_is_corruption(
    tmp_path: Path, make_poses: MakePoses, make_record: MakeRecord, name: str
) -> None:
    write_group(LocalObjects(tmp_path / "group"), [make_record("a", make_poses(with_xyz=True))], 0)
    shutil.rmtree(tmp_path / "group" / name)
    with pytest.raises(StoreCorrupted, match=f"/{name}/"):
        PoseGroup(LocalObjects(tmp_path / "group")).read(0)


def test_a_shard_is_committed_once(store: PoseStore, make_record: MakeRecord) -> None:
    assert store.write_shard(0, [make_record("a")])
    before = store.committed()[0].marker_sha256
    assert not store.write_shard(0, [make_record("a")])
    assert store.committed()[0].marker_sha256 == before
    assert len([path for path in (Path(store.url) / "shards").iterdir() if path.is_dir()]) == 1


def test_a_later_generation_replaces_some_videos(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    kept, fresh = make_poses(seed=5), make_poses(seed=6)
    store.write_shard(0, [make_record("bad", status=VideoStatus.MISSING), make_record("ok", kept)])
    assert store.entries()["bad"].status is VideoStatus.MISSING
    assert store.write_shard(0, [make_record("bad", fresh)], generation=1)
    commit = store.committed()[0]
    assert (commit.generation, [entry.video_id for entry in commit.entries]) == (1, ["bad", "ok"])
    found = {entry.video_id: poses for entry, poses in store.iter_shard(store.current(0))}
    _assert_same(found["bad"], fresh)  # type: ignore[arg-type]
    _assert_same(found["ok"], kept)  # type: ignore[arg-type]
    check_every_byte(store, commit)
    _assert_same(PoseStore.open(Path(store.url)).read("bad"), fresh)


def test_a_generation_needs_the_one_before_it(store: PoseStore, make_record: MakeRecord) -> None:
    with pytest.raises(InputError, match="needs generation 0"):
        store.write_shard(0, [make_record("a")], generation=1)
    store.write_shard(0, [make_record("a")])
    with pytest.raises(ValueError, match=r"has no videos \['b'\]"):
        store.write_shard(0, [make_record("b")], generation=1)


def test_resume_sees_what_is_committed(store: PoseStore, make_record: MakeRecord) -> None:
    assert store.committed() == {}
    store.write_shard(1, [make_record("c", status=VideoStatus.QUARANTINED), make_record("d")])
    store.write_shard(0, [make_record("a")])
    again = PoseStore.open(Path(store.url))
    assert list(again.committed()) == [0, 1]
    entries = again.entries()
    assert {name: entry.shard_id for name, entry in entries.items()} == {"a": 0, "c": 1, "d": 1}
    assert (entries["c"].reason, entries["c"].message) == ("unreadable", "c.mp4: no frame")
    assert again.catalog_hint == "/data/catalog"


def test_pickles_as_its_path(store: PoseStore, make_record: MakeRecord) -> None:
    store.write_shard(0, [make_record("a")])
    store.read("a")
    again = pickle.loads(pickle.dumps(store))  # noqa: S301
    assert again.configuration == store.configuration
    assert again.read("a").num_rows == 8


def test_plans_are_frozen_and_numbered(store: PoseStore) -> None:
    videos = [Video(f"v{i}", f"v{i}.mp4", i, "id", end_seconds=2.0) for i in range(3)]
    first = PlanTable(0, (0, 0, 1), tuple(videos), (1.0, 2.0, 3.0))
    assert store.add_plan(0, first)
    assert not store.add_plan(0, first)
    second = PlanTable(1, [2], [Video("v9", "v9.mp4", 9, "id")], [9])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="next plan is number 1"):
        store.add_plan(2, replace(second, number=2))
    assert store.add_plan(1, second)
    assert store.plans() == [first, second]
    assert {shard: tuple(its) for shard, its in first.shards().items()} == {
        0: tuple(videos[:2]),
        1: tuple(videos[2:]),
    }
    assert store.shard_videos(1) == tuple(videos[2:])
    assert [video.id for video in store.shard_videos(2)] == ["v9"]
    with pytest.raises(InputError, match="no plan has a shard 3"):
        store.shard_videos(3)


def test_a_worker_reads_each_plan_once_and_none_that_it_does_not_need(
    store: PoseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        names = [f"v{number}{i}" for i in range(2)]
        videos = [Video(name, f"{name}.mp4", 1, "id") for name in names]
        shards = np.array([2 * number, 2 * number + 1])
        store.add_plan(number, PlanTable(number, shards, videos, np.ones(2)))
    read: list[str] = []
    real = LocalObjects.read

    def note(self: LocalObjects, name: str) -> bytes:
        read.append(name)
        return real(self, name)

    monkeypatch.setattr(LocalObjects, "read", note)
    found = [store.shard_videos(shard)[0].id for shard in (1, 0, 3, 2, 3, 0)]
    assert found == ["v01", "v00", "v11", "v10", "v11", "v00"]
    assert read == ["000.parquet", "001.parquet"]
    assert store.shard_videos(4)[0].id == "v20"
    assert read[2:] == ["002.parquet"]


def test_a_plan_need_not_be_in_the_order_of_shards(store: PoseStore) -> None:
    videos = [Video(f"v{i}", f"v{i}.mp4", i, "id") for i in range(4)]
    plan = PlanTable(0, [1, 0, 1, 0], videos, [1.0] * 4)  # type: ignore[arg-type]
    store.add_plan(0, plan)
    assert store.shard_videos(0) == (videos[1], videos[3])
    assert {shard: tuple(its) for shard, its in plan.shards().items()} == {
        0: (videos[1], videos[3]),
        1: (videos[0], videos[2]),
    }


def test_a_flipped_bit_in_a_plan_is_corruption(store: PoseStore) -> None:
    store.add_plan(0, PlanTable(0, [0], [Video("a", "a.mp4", 1, "id")], [1.0]))  # type: ignore[arg-type]
    path = Path(store.url) / "plan" / "000.parquet"
    data = bytearray(path.read_bytes())
    data[data.index(b"a.mp4")] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreCorrupted, match="do not match their own sha256"):
        store.plans()


@pytest.mark.parametrize(
    ("shards", "names", "costs", "message"),
    [
        ((0,), ("a", "b"), (1, 1), "must be as many"),
        ((0, 1), ("a", "a"), (1, 1), "may be in it once"),
        ((-1,), ("a",), (1,), "start at 0"),
    ],
)
def test_a_plan_is_validated(
    shards: tuple[int, ...], names: tuple[str, ...], costs: tuple[float, ...], message: str
) -> None:
    videos = tuple(Video(name, "u", 1, "id") for name in names)
    with pytest.raises(ValueError, match=message):
        PlanTable(0, shards, videos, costs)


def test_a_missing_plan_is_corruption(store: PoseStore) -> None:
    video = Video("a", "a.mp4", 1, "id")
    store.add_plan(0, PlanTable(0, (0,), (video,), (1,)))
    (Path(store.url) / "plan" / "000.parquet").rename(Path(store.url) / "plan" / "001.parquet")
    with pytest.raises(StoreCorrupted, match=r"got \[1\]"):
        store.plans()


def test_another_configuration_is_refused_with_the_differences(store: PoseStore) -> None:
    assert PoseStore.open_or_create(Path(store.url), CONFIGURATION).configuration == {
        "estimator": {"name": "figure", "threshold": 0.5},
        "sizes": [1, 2],
    }
    other = {"estimator": {"name": "figure", "threshold": 0.4}, "sizes": [1, 2]}
    with pytest.raises(ConfigurationMismatch) as caught:
        PoseStore.open_or_create(Path(store.url), other)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{store.url}: was made with another configuration:"
    assert lines[1] == "  estimator.threshold: asked for 0.4, the store has 0.5"
    assert lines[2] == "Give the same options as before, or another output path."


def test_what_is_no_store_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "zarr.json").write_text('{"attributes": {"kind": "other"}}')
    for path, message in [
        (folder, "has no readable zarr.json"),
        (tmp_path / "file", "has no readable zarr.json"),
        (tmp_path / "group", "is of kind 'other'"),
    ]:
        with pytest.raises(InputError, match=message):
            PoseStore.open_or_create(path, {})
        with pytest.raises(InputError, match="exists already"):
            PoseStore.create(path, {})
    with pytest.raises(InputError, match="does not exist"):
        PoseStore.open(tmp_path / "none")
    assert (folder / "notes.txt").read_text() == (tmp_path / "file").read_text() == "keep"
    assert len(list(tmp_path.iterdir())) == 3


def test_an_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert PoseStore.open_or_create(tmp_path / "empty", {}).committed() == {}
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_newer_older_or_edited_store_is_refused(store: PoseStore) -> None:
    path = Path(store.url) / "zarr.json"
    metadata = json.loads(path.read_bytes())
    ours = metadata["attributes"]["schema_version"]
    for version, advice in ((99, "Upgrade posemill"), (1, "Use an older posemill")):
        metadata["attributes"]["schema_version"] = version
        path.write_text(json.dumps(metadata))
        expected = f"schema version {version}; this posemill reads version {ours}. {advice}, or"
        with pytest.raises(InputError, match=re.escape(expected)):
            PoseStore.open(Path(store.url))
    metadata["attributes"]["schema_version"] = ours
    for changed in ({"configuration": {"sizes": [3]}}, {"catalog_hint": "another"}):
        attributes = {**metadata["attributes"], **changed}
        path.write_text(json.dumps({**metadata, "attributes": attributes}))
        with pytest.raises(StoreCorrupted, match="does not match its hash"):
            PoseStore.open(Path(store.url))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no store can be made there"):
        PoseStore.create(tmp_path / "file" / "poses.zarr", {})
    with pytest.raises(InputError, match=r"/proc/poses\.zarr: no store can be made there"):
        PoseStore.create("/proc/poses.zarr", {})


def test_a_full_disk_is_the_environments_fault_and_leaves_nothing(
    store: PoseStore, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(LocalObjects, "write_all", full)
        with pytest.raises(EnvironmentFault, match="No space left on device"):
            store.write_shard(0, [make_record("a")])
    assert store.committed() == {}
    assert [path.name for path in (Path(store.url) / "shards").iterdir()] == ["zarr.json"]
    assert store.write_shard(0, [make_record("a")])


def test_what_cannot_be_read_is_said(store: PoseStore, make_record: MakeRecord) -> None:
    store.write_shard(0, [make_record("bad", status=VideoStatus.QUARANTINED)])
    with pytest.raises(InputError, match="has no video 'zzz'"):
        store.read("zzz")
    with pytest.raises(InputError, match=r"is quarantined \(unreadable\), so it has no poses"):
        store.read("bad")
    with pytest.raises(InputError, match="shard 5 is not committed"):
        list(store.iter_shard(store.current(5)))


def test_a_shard_is_validated(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    with pytest.raises(ValueError, match="each once"):
        store.write_shard(0, [])
    with pytest.raises(ValueError, match="each once"):
        store.write_shard(0, [make_record("a"), make_record("a")])
    mixed = replace(make_poses(), skeleton="other")
    with pytest.raises(InputError, match="of one skeleton"):
        store.write_shard(0, [make_record("a"), make_record("b", mixed)])
    crowd = replace(make_poses(), slot=make_poses().slot + 65536)
    with pytest.raises(InputError, match=r"slots must lie in 0\.\.65535"):
        store.write_shard(0, [make_record("a", crowd)])
    assert [path.name for path in (Path(store.url) / "shards").iterdir()] == ["zarr.json"]


def test_a_record_is_validated(make_poses: MakePoses, make_record: MakeRecord) -> None:
    good = make_record("a")
    with pytest.raises(ValueError, match="status ok needs poses"):
        replace(good, poses=None)
    with pytest.raises(ValueError, match="status missing must not have poses"):
        replace(good, status=VideoStatus.MISSING)
    with pytest.raises(ValueError, match="of 4 frames, frames_decoded is 9"):
        replace(good, frames_decoded=9)
    with pytest.raises(ValueError, match="empty, with 8 people"):
        replace(good, status=VideoStatus.EMPTY)
