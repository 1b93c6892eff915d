"""Races, kills and damage: what is visible is right, and what is wrong is noticed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from committed_files import check_every_byte

from posemill.errors import EnvironmentFault, StoreCorrupted
from posemill.schema import PoseSequence
from posemill.storage.commits import check_files, seal, unseal
from posemill.storage.objects import Objects, open_objects
from posemill.storage.poses import PoseStore, VideoRecord

RECORD = "commits/s000000.g000.json"

MakePoses = Callable[..., PoseSequence]
MakeRecord = Callable[..., VideoRecord]

# Writes shards 0..n-1; the step that is named to stall waits to be killed.
WRITER = """
import sys, time
import numpy as np
from posemill.schema import PoseSequence, VideoStatus
from posemill.storage.objects import open_objects
from posemill.storage.poses import PoseStore, VideoRecord

place, me, num_shards, stall = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
signs = open_objects(place)
pose = PoseSequence("coco-17", np.full((4, 17, 2), 7, np.float32), np.ones((4, 17), np.float32),
    np.arange(4), np.zeros(4, np.int64), np.arange(4) / 25, 64, 48, 4)
def wait(*_):
    signs.write(f"stalled-{me}", b"")
    time.sleep(60)
store = PoseStore.open(f"{place}/poses.zarr")
if stall == "objects":  # when half of them are there
    objects = type(store.objects)
    write_all = objects.write_all
    def write_half(self, files):
        if "shards" not in self.url:
            return write_all(self, files)
        write_all(self, dict(list(files.items())[: len(files) // 2]))
        wait()
    objects.write_all = write_half
elif stall == "commit":
    PoseStore._publish = wait
signs.write(f"ready-{me}", b"")
while signs.size("go") is None:
    time.sleep(0.005)
print(*(s for s in range(num_shards)
        if store.write_shard(s, [VideoRecord(f"v{s}", VideoStatus.OK, "", "", me, pose, 4, 4)])))
"""


@pytest.fixture
def store(place: str) -> PoseStore:
    return PoseStore.create(f"{place}/poses.zarr", {"a": 1})


def test_of_two_writers_exactly_one_wins_and_the_other_leaves_nothing(
    place: str, store: PoseStore
) -> None:
    names = ("a", "b")
    racers = [_start(place, name, 12) for name in names]
    _wait_for(place, [f"ready-{name}" for name in names], racers)
    open_objects(place).write("go", b"")
    wins = [set(map(int, racer.communicate(timeout=60)[0].split())) for racer in racers]
    assert wins[0] | wins[1] == set(range(12))
    assert not wins[0] & wins[1]
    commits = store.committed()
    assert {group for commit in commits.values() for group in commit.files} == _groups(store)
    for shard, commit in commits.items():
        check_every_byte(store, commit)
        assert commit.entries[0].identity == ("a" if shard in wins[0] else "b")


@pytest.mark.parametrize("step", ["objects", "commit"])
def test_a_killed_writer_leaves_no_visible_shard_and_a_retry_completes(
    place: str, store: PoseStore, make_record: MakeRecord, step: str
) -> None:
    open_objects(place).write("go", b"")
    writer = _start(place, "a", 1, stall=step)
    _wait_for(place, ["stalled-a"], [writer])
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=60)
    assert len(_groups(store)) == 1
    assert store.committed() == {}
    assert store.write_shard(0, [make_record("v0")])
    check_every_byte(store, store.committed()[0])
    assert store.read("v0").num_rows == 8


def test_a_commit_of_unknown_outcome_leaves_the_data(
    store: PoseStore, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record may be there, or still appear: then it must not name what was removed."""
    real = type(store.objects).create_if_absent

    def lose_the_reply(self: Objects, name: str, data: bytes) -> bool:
        real(self, name, data)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(type(store.objects), "create_if_absent", lose_the_reply)
        with pytest.raises(EnvironmentFault, match="Input/output error"):
            store.write_shard(0, [make_record("v0")])
    assert store.read("v0").num_rows == 8
    check_every_byte(store, store.committed()[0])


def test_a_reader_of_an_older_generation_goes_on(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    store.write_shard(0, [make_record("v0", make_poses(seed=1))])
    reader = PoseStore.open(store.url)
    reader.entries()
    store.write_shard(0, [make_record("v0", make_poses(seed=2, num_people=1))], generation=1)
    assert reader.read("v0").num_rows == 8
    assert PoseStore.open(store.url).read("v0").num_rows == 4
    (old,) = _groups(store) - set(store.committed()[0].files)
    store.objects.delete(f"shards/{old}/slot/c/0")
    stale = PoseStore.open(store.url)
    stale._snapshot = reader._snapshot
    with pytest.raises(StoreCorrupted, match="slot/c/0: is missing"):
        stale.read("v0")


@pytest.mark.parametrize(
    "array", ["triplets", "slot", "video_ptr", "size_wh", "xyz_m", "has_xyz_m"]
)
@pytest.mark.parametrize("how", ["missing", "truncated"])
def test_a_missing_or_cut_object_is_never_read(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord, array: str, how: str
) -> None:
    store.write_shard(0, [make_record("a", make_poses(with_xyz=True))])
    name = _object(store, array)
    if how == "missing":
        store.objects.delete(name)
    else:
        store.objects.write(name, store.objects.read(name)[:-1])
    fresh = PoseStore.open(store.url)
    for attempt in (
        lambda: fresh.read("a"),
        lambda: list(fresh.iter_shard(fresh.current(0))),
        lambda: fresh.verify_files(fresh.committed()[0]),
        lambda: check_every_byte(fresh, fresh.committed()[0]),
    ):
        with pytest.raises(StoreCorrupted, match=array):
            attempt()


def test_a_flipped_bit_anywhere_is_found_by_verify(
    store: PoseStore, make_record: MakeRecord
) -> None:
    store.write_shard(0, [make_record("a"), make_record("b")])
    commit = store.committed()[0]
    ((group, files),) = commit.files.items()
    objects = store.objects.at("shards", group)
    for name in files:
        data = objects.read(name)
        for at in {0, len(data) // 2, len(data) - 1}:
            objects.write(name, data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
            with pytest.raises(StoreCorrupted, match="another CRC-32C"):
                check_files(objects, {name: files[name]}, content=True)
        objects.write(name, data)
    check_every_byte(store, commit)


def test_a_flipped_bit_in_the_joints_is_found_by_reading(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    store.write_shard(0, [make_record("a", make_poses(30, 3))])
    name = _object(store, "triplets")
    data = store.objects.read(name)
    for at in range(0, len(data), len(data) // 16):
        store.objects.write(name, data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
        with pytest.raises(StoreCorrupted, match="cannot be read as it was committed"):
            PoseStore.open(store.url).read("a")


def test_a_forged_commit_record_is_refused(store: PoseStore, make_record: MakeRecord) -> None:
    store.write_shard(0, [make_record("a")])
    data = store.objects.read(RECORD)
    store.objects.write(RECORD, data.replace(b'"status":"ok"', b'"status":"empty"'))
    with pytest.raises(StoreCorrupted, match="altered or cut short"):
        PoseStore.open(store.url).committed()
    store.objects.write_all({RECORD: data, "commits/s000001.g000.json": data})
    with pytest.raises(StoreCorrupted, match="belongs to another shard"):
        PoseStore.open(store.url).committed()


def test_a_commit_of_another_store_is_refused(store: PoseStore, make_record: MakeRecord) -> None:
    store.write_shard(0, [make_record("a")])
    body, _ = unseal(store.objects.read(RECORD), RECORD)
    store.objects.write(RECORD, seal({**body, "configuration_hash": "0" * 64}))
    with pytest.raises(StoreCorrupted, match="belongs to another"):
        PoseStore.open(store.url).committed()


def _start(place: str, name: str, num_shards: int, stall: str = "") -> subprocess.Popen[str]:
    arguments = [place, name, str(num_shards), stall]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True
    )


def _wait_for(place: str, signs: list[str], processes: list[subprocess.Popen[str]]) -> None:
    while not set(signs) <= set(open_objects(place).names()):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.005)


def _groups(store: PoseStore) -> set[str]:
    return set(store.objects.at("shards").names()) - {"zarr.json"}


def _object(store: PoseStore, array: str) -> str:
    """The one object of an array's data in the one group of the store."""
    (name,) = [name for name in store.objects.tree() if f"/{array}/c" in name]
    return name
