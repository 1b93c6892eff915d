"""Races, kills and damage: what is visible is right, and what is wrong is noticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from posemill.errors import StoreCorrupted
from posemill.schema import PoseSequence
from posemill.storage.commits import seal, unseal
from posemill.storage.poses import PoseStore, VideoRecord

MakePoses = Callable[..., PoseSequence]
MakeRecord = Callable[..., VideoRecord]

# Writes shards 0..n-1; the step that is named to stall waits to be killed.
WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from posemill.schema import PoseSequence, VideoStatus
from posemill.storage import objects_local, poses, store_base
from posemill.storage.poses import PoseStore, VideoRecord

root, me, num_shards, stall = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
pose = PoseSequence("coco-17", np.full((4, 17, 2), 7, np.float32), np.ones((4, 17), np.float32),
    np.arange(4), np.zeros(4, np.int64), np.arange(4) / 25, 64, 48, 4)
def wait(*_):
    (root.parent / f"stalled-{me}").touch()
    time.sleep(60)
if stall == "object":
    replace, folders = objects_local.replace_files, []
    objects_local.replace_files = lambda folder, files: (
        wait() if len(folders) == 5 else (folders.append(folder), replace(folder, files)))
elif stall:
    setattr(store_base if stall == "create_if_absent" else poses, stall, wait)
store = PoseStore.open(root)
(root.parent / f"ready-{me}").touch()
while not (root.parent / "go").exists():
    time.sleep(0.001)
print(*(s for s in range(num_shards)
        if store.write_shard(s, [VideoRecord(f"v{s}", VideoStatus.OK, "", "", me, pose, 4, 4)])))
"""


def _start(root: Path, name: str, num_shards: int, stall: str = "") -> subprocess.Popen[str]:
    arguments = [str(root), name, str(num_shards), stall]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True
    )


def _wait_for(paths: list[Path], processes: list[subprocess.Popen[str]]) -> None:
    while not all(path.exists() for path in paths):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.001)


def _groups(store: PoseStore) -> set[str]:
    return {path.name for path in (store.root / "shards").iterdir() if path.is_dir()}


@pytest.fixture
def store(tmp_path: Path) -> PoseStore:
    return PoseStore.create(tmp_path / "poses.zarr", {"a": 1})


def test_of_two_writers_exactly_one_wins_and_the_other_leaves_nothing(store: PoseStore) -> None:
    names = ("a", "b")
    racers = [_start(store.root, name, 12) for name in names]
    _wait_for([store.root.parent / f"ready-{name}" for name in names], racers)
    (store.root.parent / "go").touch()
    wins = [set(map(int, racer.communicate(timeout=60)[0].split())) for racer in racers]
    assert wins[0] | wins[1] == set(range(12))
    assert not wins[0] & wins[1]
    commits = store.committed()
    assert {group for commit in commits.values() for group in commit.files} == _groups(store)
    for shard, commit in commits.items():
        store.verify(commit)
        assert commit.entries[0].identity == ("a" if shard in wins[0] else "b")


@pytest.mark.parametrize("step", ["object", "record_tree", "create_if_absent"])
def test_a_killed_writer_leaves_no_visible_shard_and_a_retry_completes(
    store: PoseStore, make_record: MakeRecord, step: str
) -> None:
    (store.root.parent / "go").touch()
    writer = _start(store.root, "a", 1, stall=step)
    _wait_for([store.root.parent / "stalled-a"], [writer])
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=60)
    assert len(_groups(store)) == 1
    assert store.committed() == {}
    assert store.write_shard(0, [make_record("v0")])
    store.verify(store.committed()[0])
    assert store.read("v0").num_rows == 8


def test_a_reader_of_an_older_generation_goes_on(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    store.write_shard(0, [make_record("v0", make_poses(seed=1))])
    reader = PoseStore.open(store.root)
    reader.entries()
    store.write_shard(0, [make_record("v0", make_poses(seed=2, num_people=1))], generation=1)
    assert reader.read("v0").num_rows == 8
    assert PoseStore.open(store.root).read("v0").num_rows == 4
    (old,) = _groups(store) - set(store.committed()[0].files)
    (store.root / "shards" / old / "slot" / "c" / "0").unlink()
    stale = PoseStore.open(store.root)
    stale._snapshot = reader._snapshot
    with pytest.raises(StoreCorrupted, match="slot/c/0: is missing"):
        stale.read("v0")


def _array_files(store: PoseStore) -> list[Path]:
    return sorted(path for path in (store.root / "shards").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "array", ["triplets", "slot", "video_ptr", "size_wh", "xyz_m", "has_xyz_m"]
)
@pytest.mark.parametrize("how", ["missing", "truncated"])
def test_a_missing_or_cut_file_is_never_read(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord, array: str, how: str
) -> None:
    store.write_shard(0, [make_record("a", make_poses(with_xyz=True))])
    (path,) = [path for path in _array_files(store) if f"/{array}/c" in path.as_posix()]
    if how == "missing":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size - 1)
    fresh = PoseStore.open(store.root)
    for attempt in (
        lambda: fresh.read("a"),
        lambda: list(fresh.iter_shard(0)),
        lambda: fresh.verify_files(fresh.committed()[0]),
        lambda: fresh.verify(fresh.committed()[0]),
    ):
        with pytest.raises(StoreCorrupted, match=array):
            attempt()


def test_a_flipped_bit_anywhere_is_found_by_verify(
    store: PoseStore, make_record: MakeRecord
) -> None:
    store.write_shard(0, [make_record("a"), make_record("b")])
    commit = store.committed()[0]
    for path in _array_files(store):
        if path.parent == store.root / "shards":
            continue
        data = path.read_bytes()
        for at in (0, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
            with pytest.raises(StoreCorrupted, match="another CRC-32C"):
                store.verify(commit)
        path.write_bytes(data)
    store.verify(commit)


def test_a_flipped_bit_in_the_joints_is_found_by_reading(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    store.write_shard(0, [make_record("a", make_poses(30, 3))])
    (path,) = [path for path in _array_files(store) if "/triplets/c" in path.as_posix()]
    data = path.read_bytes()
    for at in range(0, len(data), 97):
        path.write_bytes(data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
        with pytest.raises(StoreCorrupted, match="cannot be read as it was committed"):
            PoseStore.open(store.root).read("a")


def test_a_forged_commit_record_is_refused(store: PoseStore, make_record: MakeRecord) -> None:
    store.write_shard(0, [make_record("a")])
    path = store.root / "commits" / "s000000.g000.json"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"status":"ok"', b'"status":"empty"'))
    with pytest.raises(StoreCorrupted, match="altered or cut short"):
        PoseStore.open(store.root).committed()
    path.write_bytes(data)
    path.with_name("s000001.g000.json").write_bytes(data)
    with pytest.raises(StoreCorrupted, match="belongs to another shard"):
        PoseStore.open(store.root).committed()


def test_a_commit_of_another_store_is_refused(store: PoseStore, make_record: MakeRecord) -> None:
    store.write_shard(0, [make_record("a")])
    path = store.root / "commits" / "s000000.g000.json"
    body, _ = unseal(path.read_bytes(), path)
    path.write_bytes(seal({**body, "configuration_hash": "0" * 64}))
    with pytest.raises(StoreCorrupted, match="belongs to another"):
        PoseStore.open(store.root).committed()
