"""What `gc` may take at any time, and zombies: writers that wake when all is over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from committed_files import check_every_byte

from posemill.errors import EnvironmentFault
from posemill.schema import PoseSequence
from posemill.storage import poses as poses_module
from posemill.storage import store_root
from posemill.storage.commits import RecordName
from posemill.storage.durable import draft_name
from posemill.storage.garbage import find_garbage, remove_garbage
from posemill.storage.objects import open_objects
from posemill.storage.poses import PoseStore, VideoRecord

MakePoses = Callable[..., PoseSequence]
MakeRecord = Callable[..., VideoRecord]


@pytest.fixture
def store(place: str) -> PoseStore:
    return PoseStore.create(f"{place}/poses.zarr", {"a": 1})


@contextmanager
def zombie(
    store: PoseStore, records: list[VideoRecord], generation: int, step: str
) -> Iterator[Callable[[], bool]]:
    """A writer of shard 0 that stands still before `step`; yields what wakes it and its answer."""
    asleep, awake = threading.Event(), threading.Event()
    answer: list[bool] = []
    own = PoseStore.open(store.url)
    target: Any = own if step == "_publish" else own.objects.__class__
    real = getattr(target, step)

    def wait(*arguments: Any) -> Any:
        if threading.current_thread() is thread and not asleep.is_set():
            asleep.set()
            assert awake.wait(30)
        return real(*arguments)

    def work() -> None:
        answer.append(own.write_shard(0, records, generation=generation))

    def wake() -> bool:
        awake.set()
        thread.join(30)
        return answer[0]

    thread = threading.Thread(target=work)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, step, wait)
        thread.start()
        assert asleep.wait(30)
        yield wake
        awake.set()
        thread.join(30)


def collect(store: PoseStore) -> list[str]:
    found = find_garbage(store)
    for each in found:
        remove_garbage(store, each)
    return [each.name for each in found]


STEPS = ["_publish", "write_all"]


@pytest.mark.parametrize("step", STEPS)
def test_a_zombie_that_wakes_after_a_retry_and_a_gc_changes_nothing(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord, step: str
) -> None:
    with zombie(store, [make_record("a"), make_record("b")], 0, step) as wake:
        store.write_shard(0, [make_record("a"), make_record("b")])
        store.write_shard(0, [make_record("b", make_poses(seed=7))], generation=1)
        taken = collect(store)
        assert len(taken) == (1 if step == "_publish" else 0)
        before = store.objects.tree()
        assert not wake()
    assert store.objects.tree() == before
    check_every_byte(store, store.committed()[0])
    assert store.committed()[0].generation == 1


@pytest.mark.parametrize("step", STEPS)
def test_a_zombie_of_an_older_retry_changes_nothing(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord, step: str
) -> None:
    store.write_shard(0, [make_record("a"), make_record("b")])
    with zombie(store, [make_record("a", make_poses(seed=3))], 1, step) as wake:
        store.write_shard(0, [make_record("a", make_poses(seed=4))], generation=1)
        store.write_shard(0, [make_record("b", make_poses(seed=5))], generation=2)
        collect(store)
        before = store.objects.tree()
        assert not wake()
    assert store.objects.tree() == before
    check_every_byte(store, store.committed()[0])


def test_a_zombie_that_may_still_commit_is_left_its_data(
    store: PoseStore, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    store.write_shard(0, [make_record("a"), make_record("b")])
    fresh = make_poses(num_people=1)
    with zombie(store, [make_record("a", fresh)], 1, "_publish") as wake:
        assert collect(store) == []
        assert wake()
    check_every_byte(store, store.committed()[0])
    assert store.read("a").num_rows == fresh.num_rows


def test_data_that_a_later_generation_took_the_place_of_is_garbage(
    store: PoseStore, make_record: MakeRecord
) -> None:
    store.write_shard(0, [make_record("a"), make_record("b")])
    (first,) = store.committed()[0].files
    store.write_shard(0, [make_record("a")], generation=1)
    assert collect(store) == []
    store.write_shard(0, [make_record("b")], generation=2)
    (garbage,) = find_garbage(store)
    assert garbage.name == f"shards/{first}"
    assert garbage.num_bytes == sum(store.objects.at("shards", first).tree().values())
    assert collect(store) == [f"shards/{first}"]
    check_every_byte(store, store.committed()[0])
    assert find_garbage(store) == []


def test_attempts_of_a_shard_without_a_readable_record_are_left(
    store: PoseStore, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = poses_module.group_name(RecordName(0, 0))
    store.objects.write(f"shards/{lost}/zarr.json", b"{}")
    assert find_garbage(store) == []
    store.write_shard(0, [make_record("a")])
    record = store.objects.read("commits/s000000.g000.json")
    store.objects.write("commits/s000000.g000.json", record[:-9])
    assert find_garbage(PoseStore.open(store.url)) == []
    store.objects.write("commits/s000000.g000.json", record)
    assert collect(PoseStore.open(store.url)) == [f"shards/{lost}"]


def test_what_is_not_ours_is_left(store: PoseStore, make_record: MakeRecord) -> None:
    store.write_shard(0, [make_record("a")])
    for name in ("shards/notes.txt", "shards/s000000-0123456789ab/zarr.json", "thesis.txt"):
        store.objects.write(name, b"mine")
    assert find_garbage(store) == []


def test_drafts_are_garbage(tmp_path: Path, make_record: MakeRecord) -> None:
    store = PoseStore.create(tmp_path / "poses.zarr", {"a": 1})
    store.write_shard(0, [make_record("a")])
    (group,) = store.committed()[0].files
    draft = Path(store.url) / "shards" / group / f".zarr.json.{'0' * 32}"
    draft.write_bytes(b"12345")
    (garbage,) = find_garbage(store)
    assert (garbage.name, garbage.num_bytes) == (f"shards/{group}/{draft.name}", 5)
    collect(store)
    assert not draft.exists()
    check_every_byte(store, store.committed()[0])


def test_what_a_worker_leaves_that_is_killed_while_it_tries_the_place_is_garbage(
    store: PoseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    before = store.objects.tree()
    with monkeypatch.context() as patch:
        patch.setattr(type(store.objects), "delete", die)
        with pytest.raises(KeyboardInterrupt):
            store.prove_writable()
    (garbage,) = find_garbage(store)
    assert garbage.num_bytes > 0
    collect(store)
    assert find_garbage(store) == []
    assert store.objects.tree() == before


def test_a_place_is_tried_again_where_gc_took_what_it_was_tried_with(
    store: PoseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, taken = type(store.objects), list[str]()
    real = objects.read

    def collect_first(self: Any, name: str) -> bytes:
        if not taken:
            taken.extend(collect(store))
        return real(self, name)

    monkeypatch.setattr(objects, "read", collect_first)
    store.prove_writable()
    assert len(taken) == 1
    assert find_garbage(store) == []


def test_the_draft_of_a_whole_store_is_garbage_and_another_stores_is_not(
    place: str, store: PoseStore
) -> None:
    ours, others = (draft_name(name) for name in ("poses.zarr", "other.zarr"))
    if place.startswith("s3:"):
        ours = f"poses.zarr/.probe-{'0' * 32}"
    beside = open_objects(place)
    for draft in (ours, others):
        beside.write(f"{draft}/zarr.json", b"12345")
    (garbage,) = find_garbage(store)
    assert (garbage.name, garbage.num_bytes) == (f"{place}/{ours}", 5)
    collect(store)
    assert beside.size(f"{ours}/zarr.json") is None
    assert beside.size(f"{others}/zarr.json") == 5
    assert find_garbage(store) == []


def test_a_maker_whose_draft_gc_takes_goes_on_in_the_store_of_the_other(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, taken = store_root.require_primitives, list[str]()

    def overtake(objects: Any, place: str) -> None:
        monkeypatch.setattr(store_root, "require_primitives", real)
        objects.write("begun", b"")
        taken.extend(collect(PoseStore.create(place, {"a": 1})))
        assert objects.size("begun") is None
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(store_root, "require_primitives", overtake)
    store = PoseStore.open_or_create(f"{place}/new.zarr", {"a": 1})
    assert len(taken) == 1
    assert store.records() == {}
    assert find_garbage(store) == []


@pytest.mark.parametrize("step", ["tree", "drafts", "tree_drafts", "names"])
def test_what_cannot_be_looked_into_is_named(
    tmp_path: Path, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store = PoseStore.create(tmp_path / "poses.zarr", {"a": 1})
    for generation in (0, 1):
        store.write_shard(0, [make_record("a")], generation=generation)

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", store.url)

    monkeypatch.setattr(type(store.objects), step, refuse)
    with pytest.raises(EnvironmentFault, match=r"poses\.zarr.*Permission denied"):
        find_garbage(store)
