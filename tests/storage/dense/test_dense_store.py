"""Dense maps beside the triplets: what comes back, on a disk and in a bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import xarray as xr
import zarr
from committed_files import check_every_byte
from hypothesis import given, settings
from hypothesis import strategies as st
from spooled import some_maps, with_dense

from posemill.errors import EnvironmentFault, InputError, StoreCorrupted
from posemill.schema import PoseSequence, VideoStatus
from posemill.storage.commits import RecordName
from posemill.storage.dense import arrays
from posemill.storage.dense.arrays import FrameBlocks, frame_blocks
from posemill.storage.garbage import find_garbage, remove_garbage
from posemill.storage.objects import LocalObjects
from posemill.storage.pose_checks import check_shard
from posemill.storage.poses import PoseStore, VideoRecord
from posemill.transforms.sample import DenseKind, DenseMaps

MakePoses = Callable[..., PoseSequence]
MakeRecord = Callable[..., VideoRecord]


def assert_equal_maps(found: DenseMaps, written: dict[DenseKind, np.ndarray]) -> None:
    for kind in get_args(DenseKind):
        maps = getattr(found, kind)
        assert (maps is None) == (kind not in written)
        if maps is not None:
            assert maps.shape == written[kind].shape
            np.testing.assert_array_equal(maps[:], written[kind])


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of up to three frames of 96 bytes, and shards of three chunks."""
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 300)
    monkeypatch.setattr(arrays, "SHARD_BYTES", 900)


@pytest.mark.usefixtures("small_shards")
def test_maps_come_back_generation_by_generation(
    place: str, tmp_path: Path, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    wide = some_maps(20, joints=(2, 4, 6), parts=(4, 4, 6), features=(5, 1, 2))
    tall = some_maps(1, seed=1, joints=(2, 6, 4), parts=(4, 6, 4), features=(5, 2, 1))
    nobody = some_maps(4, seed=2, joints=(2, 5, 5))
    again = some_maps(7, seed=3, joints=(2, 6, 4))
    store = PoseStore.create(f"{place}/poses.zarr", {})
    records = [
        with_dense(make_record("wide", make_poses(20)), wide, tmp_path),
        make_record("missing", status=VideoStatus.MISSING),
        with_dense(make_record("tall", make_poses(1)), tall, tmp_path),
        with_dense(make_record("nobody", make_poses(4, 0), VideoStatus.EMPTY), nobody, tmp_path),
        make_record("without"),
    ]
    assert store.write_shard(0, records)
    assert not store.write_shard(0, records)
    retried = with_dense(make_record("tall", make_poses(7)), again, tmp_path)
    assert store.write_shard(0, [retried], generation=1)
    opened = PoseStore.open(store.url)
    for video_id, maps in (("wide", wide), ("tall", again), ("nobody", nobody)):
        found = opened.read_dense(video_id)
        assert_equal_maps(found, maps)
        assert found.frame.tolist() == list(range(len(maps["joints"])))
    entries = opened.entries()
    assert opened.dense_kinds(entries["wide"]) == ("joints", "parts", "features")
    assert opened.dense_kinds(entries["missing"]) == opened.dense_kinds(entries["without"]) == ()
    for commit in opened.committed().values():
        check_every_byte(opened, commit)
    assert check_shard(opened, RecordName(0, 1), ()).damages == ()
    assert find_garbage(opened) == []


@pytest.mark.usefixtures("small_shards")
def test_only_what_is_asked_for_is_read(
    tmp_path: Path,
    make_poses: MakePoses,
    make_record: MakeRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maps = some_maps(20, joints=(2, 4, 6), features=(5, 1, 2))
    store = PoseStore.create(tmp_path / "poses.zarr", {})
    store.write_shard(0, [with_dense(make_record("v", make_poses(20)), maps, tmp_path / "s")])
    asked: list[tuple[str, int]] = []
    read_ranges = LocalObjects.read_ranges

    def noted(objects: LocalObjects, name: str, ranges: list[tuple[int, int]]) -> list[bytes]:
        asked.append((f"{objects.root.name}/{name}", len(ranges)))
        return read_ranges(objects, name, ranges)

    monkeypatch.setattr(LocalObjects, "read_ranges", noted)
    found = store.read_dense("v", ["joints"], np.array([1, 2, 9, 19]))
    assert found.features is None
    assert found.frame.tolist() == [1, 2, 9, 19]
    assert asked == []
    np.testing.assert_array_equal(found.kept("joints")[:], maps["joints"][[1, 2, 9, 19]])
    # Three frames a chunk, nine a shard: each shard's index, then one chunk of it.
    shards = [f"joints/c/{number}/0/0/0" for number in (0, 1, 2)]
    assert asked == [(name, 1) for name in shards for _ in range(2)]
    turned = found.kept("joints")[np.array([3, 0, 3])]
    np.testing.assert_array_equal(turned, maps["joints"][[19, 1, 19]])


@settings(max_examples=15)
@given(
    st.lists(st.tuples(*[st.integers(1, high) for high in (9, 3, 4, 4)]), min_size=1, max_size=3),
    st.integers(50, 900),
)
def test_maps_of_any_shape_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    make_poses: MakePoses,
    make_record: MakeRecord,
    shapes: list[tuple[int, int, int, int]],
    shard_bytes: int,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "CHUNK_BYTES", 100)
        patch.setattr(arrays, "SHARD_BYTES", shard_bytes)
        written = {
            f"v{number}": some_maps(frames, number, joints=shape, parts=shape)
            for number, (frames, *shape) in enumerate(shapes)  # type: ignore[misc]
        }
        records = [
            with_dense(make_record(name, make_poses(len(maps["joints"]))), maps, folder)
            for name, maps in written.items()
        ]
        store = PoseStore.create(folder / "poses.zarr", {})
        assert store.write_shard(0, records)
    for name, maps in written.items():
        assert_equal_maps(store.read_dense(name), maps)


def test_frames_are_in_chunks_of_a_mebibyte_and_shards_of_32() -> None:
    # openpifpaf's features of 641 x 481 px: 3.5 MB a frame.
    assert frame_blocks((1000, 1392, 31, 41)) == FrameBlocks(chunk=1, shard=9)
    assert frame_blocks((1000, 17, 48, 64)) == FrameBlocks(chunk=10, shard=320)
    assert frame_blocks((3, 17, 48, 64)) == FrameBlocks(chunk=10, shard=10)
    assert frame_blocks((5, 1, 1, 1)) == FrameBlocks(chunk=16, shard=16)
    # A frame that is larger than a shard should be is one by itself.
    assert frame_blocks((5, 4096, 128, 128)) == FrameBlocks(chunk=1, shard=1)


@pytest.mark.usefixtures("small_shards")
def test_others_read_them_with_names(
    tmp_path: Path, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    maps = some_maps(20, joints=(2, 4, 6), features=(5, 1, 2))
    store = PoseStore.create(tmp_path / "poses.zarr", {})
    record = with_dense(make_record("a/b", make_poses(20)), maps, tmp_path / "scratch")
    store.write_shard(0, [make_record("first"), record])
    entry = store.entries()["a/b"]
    group = zarr.open_group(tmp_path / "poses.zarr", mode="r")[f"shards/{entry.group}/dense/1"]
    assert group.attrs["video_id"] == "a/b"
    folder = tmp_path / "poses.zarr" / "shards" / entry.group / "dense" / "1"
    with xr.open_zarr(folder, consolidated=False) as dataset:
        assert dataset["joints"].dims == ("frame", "joints_channel", "joints_y", "joints_x")
        for kind, written in maps.items():
            np.testing.assert_array_equal(dataset[kind].values, written)
    sizes = [path.stat().st_size for path in folder.glob("joints/c/*/0/0/0")]
    assert len(sizes) == 3


def test_what_was_not_kept_is_told(
    tmp_path: Path, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    store = PoseStore.create(tmp_path / "poses.zarr", {})
    maps = some_maps(4, joints=(2, 4, 6))
    store.write_shard(0, [with_dense(make_record("v"), maps, tmp_path), make_record("without")])
    with pytest.raises(InputError, match=r"no dense parts .* but joints; .* --keep"):
        store.read_dense("v", ["parts"])
    with pytest.raises(InputError, match=r"no dense maps .* but none; .* --keep"):
        store.read_dense("without")
    with pytest.raises(InputError, match="no video 'w'"):
        store.read_dense("w")
    for frames in ([1, 1], [2, 1], [-1], [4]):
        with pytest.raises(ValueError, match=r"must rise within 0\.\.3"):
            store.read_dense("v", frames=np.array(frames))
    assert store.read_dense("v", frames=np.empty(0, np.int64)).kept("joints")[:].size == 0


def test_maps_are_of_as_many_frames_as_the_poses(
    tmp_path: Path, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    maps = some_maps(4, joints=(2, 4, 6))
    handles = with_dense(make_record("v"), maps, tmp_path).dense
    with pytest.raises(ValueError, match=r"dense maps are of \[4\] frames, frames_decoded is 5"):
        VideoRecord("v", VideoStatus.OK, "", "", "i", make_poses(5), 5, 5, dense=handles)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
@pytest.mark.parametrize("name", ["zarr.json", "c/0/0/0/0", "c/2/0/0/0"])
def test_damage_is_found_by_readers_and_by_verify(
    tmp_path: Path, make_poses: MakePoses, make_record: MakeRecord, damage: str, name: str
) -> None:
    store = PoseStore.create(tmp_path / "poses.zarr", {})
    maps = some_maps(20, joints=(2, 4, 6))
    store.write_shard(0, [with_dense(make_record("v", make_poses(20)), maps, tmp_path / "s")])
    group = store.entries()["v"].group
    path = tmp_path / "poses.zarr" / "shards" / group / "dense" / "0" / "joints" / name
    content = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        middle = len(content) // 2
        changed = bytes([content[middle] ^ 1])
        path.write_bytes(
            content[:middle]
            if damage == "cut"
            else content[:middle] + changed + content[middle + 1 :]
        )
    with pytest.raises(StoreCorrupted, match=f"joints/{name}"):
        PoseStore.open(store.url).read_dense("v").kept("joints")[:]
    assert PoseStore.open(store.url).read("v").num_frames == 20
    checked = check_shard(store, RecordName(0, 0), ())
    (found,) = checked.damages
    assert found.place.endswith(f"dense/0/joints/{name}")
    assert found.items == ("v",)
    assert checked.mend is not None
    assert checked.mend()
    assert store.entries()["v"].status is VideoStatus.VOID


@pytest.mark.usefixtures("small_shards")
def test_of_two_attempts_one_counts_and_nothing_of_the_other_stays(
    place: str,
    tmp_path: Path,
    make_poses: MakePoses,
    make_record: MakeRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = PoseStore.create(f"{place}/poses.zarr", {})
    maps = [some_maps(20, seed, joints=(2, 4, 6)) for seed in range(2)]
    ours, theirs = (
        with_dense(make_record("v", make_poses(20)), maps[seed], tmp_path / str(seed))
        for seed in range(2)
    )
    publish = PoseStore._publish

    def overtaken(self: PoseStore, *arguments: object) -> bool:
        monkeypatch.setattr(PoseStore, "_publish", publish)
        assert PoseStore.open(store.url).write_shard(0, [theirs])
        return publish(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(PoseStore, "_publish", overtaken)
    assert not store.write_shard(0, [ours])
    assert_equal_maps(store.read_dense("v"), maps[1])
    assert len(store.objects.at("shards").names()) == 1 + 1


def test_a_spool_that_is_gone_commits_nothing(
    place: str, tmp_path: Path, make_record: MakeRecord
) -> None:
    store = PoseStore.create(f"{place}/poses.zarr", {})
    record = with_dense(make_record("v"), some_maps(4, joints=(2, 4, 6)), tmp_path)
    record.dense["joints"].path.unlink()
    with pytest.raises(EnvironmentFault, match="joints"):
        store.write_shard(0, [record])
    assert store.committed() == {}
    assert store.objects.at("shards").names() == ["zarr.json"]


def test_garbage_of_a_killed_attempt_is_removed(
    tmp_path: Path, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PoseStore.create(tmp_path / "poses.zarr", {})
    record = with_dense(make_record("v"), some_maps(4, joints=(2, 4, 6)), tmp_path / "s")
    with monkeypatch.context() as patch:
        patch.setattr(PoseStore, "_publish", _killed)
        with pytest.raises(KeyboardInterrupt):
            store.write_shard(0, [record])
    assert find_garbage(store) == []  # it may still be committed
    assert store.write_shard(0, [record])
    (garbage,) = find_garbage(store)
    assert garbage.num_bytes > record.dense["joints"].num_frames
    remove_garbage(store, garbage)
    assert find_garbage(store) == []
    assert store.read_dense("v").kept("joints")[:].shape == (4, 2, 4, 6)


def _killed(*_: object) -> bool:
    raise KeyboardInterrupt
