"""Kills, races and damage of a feature store."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from committed_files import check_every_byte

from posemill.errors import EnvironmentFault, InputError, StoreCorrupted
from posemill.storage import feature_plan
from posemill.storage.features import ArraySpec, Block, FeatureRow, FeatureStore
from posemill.storage.objects import LocalObjects, Objects, open_objects

SPECS = (ArraySpec("volume", ("y", "x"), (8, 8), "uint8", 1 / 255),)
OBJECT = "volume/c/0/0/0"

WRITER = """
import sys, time
import numpy as np
from posemill.storage.features import FeatureStore
from posemill.storage.objects import open_objects
place, me = sys.argv[1:]
signs = open_objects(place)
store = FeatureStore.open(f"{place}/features.zarr")
signs.write(f"ready-{me}", b"")
while signs.size("go") is None:
    time.sleep(0.005)
def volume(shard):
    return np.random.default_rng(shard).integers(0, 256, (3, 8, 8)).astype(np.uint8)
print(*(shard for shard in range(8)
        if store.write_shard(shard, "sha", [({"volume": volume(shard)}, np.ones(3, bool))])))
"""

GROWER = """
import sys
from posemill.storage.features import FeatureRow, FeatureStore
place, first = sys.argv[1], int(sys.argv[2])
store = FeatureStore.open(f"{place}/features.zarr")
for shard in range(first, first + 4):
    while not store.add_rows([FeatureRow(f"{shard}/0", "v", -1, -1, {f"s{shard}": "a"}, shard)]):
        pass
"""


def _rows(pose_shard: int) -> list[FeatureRow]:
    return [FeatureRow(f"{pose_shard}/{i}", "v", -1, -1, {}, pose_shard) for i in range(3)]


def _volume(seed: int) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    return {"volume": rng.integers(0, 256, (3, 8, 8)).astype(np.uint8)}


def _block(seed: int) -> Block:
    return _volume(seed), np.ones(3, np.bool_)


@pytest.fixture
def store(place: str) -> FeatureStore:
    store = FeatureStore.create(f"{place}/features.zarr", SPECS, {}, ())
    store.add_rows([row for shard in range(8) for row in _rows(shard)])
    return store


def _write(store: FeatureStore, shard: int, sha: str = "sha") -> bool:
    return store.write_shard(shard, sha, [_block(shard)])


def test_racing_writers_write_the_same_and_commit_once(place: str, store: FeatureStore) -> None:
    racers = _start(WRITER, place, "a", "b")
    while not {"ready-a", "ready-b"} <= set(open_objects(place).names()):
        assert all(racer.poll() is None for racer in racers)
        time.sleep(0.005)
    open_objects(place).write("go", b"")
    wins = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert sorted(wins[0] + wins[1]) == [str(shard) for shard in range(8)]
    for shard, commit in store.committed().items():
        check_every_byte(store, commit)
        start, _ = store.row_range(shard)
        assert np.array_equal(
            store.read("volume", slice(start, start + 3)), _volume(shard)["volume"]
        )


def test_a_writer_that_dies_before_its_commit_is_repeated(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FeatureStore, "_publish", die)
        with pytest.raises(KeyboardInterrupt):
            _write(store, 3)
    assert store.committed() == {}
    assert _write(store, 3)
    check_every_byte(store, store.committed()[3])


@pytest.mark.parametrize("done", ["nothing", "plan", "half", "all but the root"])
def test_interrupted_growth_is_invisible_and_finished_later(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch, done: str
) -> None:
    real = type(store.objects).rewrite

    def die(self: Objects, name: str, make: Any) -> None:
        files = list(make().items())
        files = files[: len(files) // 2] if done == "half" else files[:-1]
        if done != "plan":
            self.write_all(dict(files))
        raise OSError(28, "No space left on device")

    def die_first(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(store.objects), "rewrite", die)
        if done == "nothing":
            patch.setattr(type(store.objects), "create_if_absent", die_first)
        with pytest.raises(EnvironmentFault, match="No space left"):
            store.add_rows(_rows(50))
    with _dataset(store) as dataset:
        assert dataset.sizes["clip"] == 8 * 64
    assert type(store.objects).rewrite is real
    again = FeatureStore.open_or_create(store.url, SPECS, {}, ())
    if done == "nothing":
        assert again.num_rows == 8 * 64
        assert again.add_rows(_rows(50))
    assert again.row_range(50) == (512, 576)
    assert _write(again, 50)
    with _dataset(store) as dataset:
        assert dataset["clip_id"].values[512:516].tolist() == ["50/0", "50/1", "50/2", ""]


def test_who_loses_the_race_for_rows_is_told(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FeatureStore.open(store.url)
    assert other.num_rows == 512
    assert store.add_rows(_rows(60))
    real = feature_plan.count_numbered
    answers = iter([1])  # the plan that `store` added just now is not seen yet
    monkeypatch.setattr(
        feature_plan, "count_numbered", lambda part: next(answers, None) or real(part)
    )
    assert not other.add_rows(_rows(61))
    assert other.row_range(60) == (512, 576)
    assert other.add_rows(_rows(61))
    assert other.row_range(61) == (576, 640)


def test_rows_chosen_by_an_older_look_are_not_added(store: FeatureStore) -> None:
    other = FeatureStore.open(store.url)
    assert other.num_rows == 512
    assert store.add_rows(_rows(60))
    assert not other.add_rows(_rows(60))
    assert other.rows()[512:515] == _rows(60)
    assert other.num_rows == 576


def test_who_grows_by_an_older_plan_shrinks_nothing(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FeatureStore.open(store.url)
    overtaking, real = Event(), feature_plan.RowPlan._files

    def overtake() -> None:
        overtaking.set()
        other.add_rows([FeatureRow("new", "v", -1, -1, {"default": "train"}, 61)])

    def be_slow(self: feature_plan.RowPlan, first_row: int) -> Mapping[str, bytes]:
        files = real(self, first_row)
        if self is store._plan and not overtaker.ident:
            overtaker.start()
            overtaking.wait()
            overtaker.join(timeout=0.5)  # done in a bucket; on a disk it waits for the lock
        return files

    overtaker = Thread(target=overtake, daemon=True)
    monkeypatch.setattr(feature_plan.RowPlan, "_files", be_slow)
    assert store.add_rows(_rows(60))
    overtaker.join(timeout=60)
    assert not overtaker.is_alive()
    assert FeatureStore.open(store.url).row_range(61) == (576, 640)
    _assert_grown(store, 640)
    with _dataset(store) as dataset:
        assert dataset["clip_id"].values[[512, 576]].tolist() == ["60/0", "new"]
        assert dataset["subset"].values[[512, 576]].tolist() == [[-1], [0]]


def test_drivers_that_grow_at_once_lose_no_row(place: str, store: FeatureStore) -> None:
    for grower in _start(GROWER, place, "100", "200"):
        grower.communicate(timeout=120)
        assert grower.returncode == 0
    _assert_grown(store, (8 + 8) * 64)
    expected = {f"{first + i}/0" for first in (100, 200) for i in range(4)}
    with _dataset(store) as dataset:
        assert set(dataset["clip_id"].values[512:].tolist()) == expected | {""}
        assert dataset.sizes["split"] == 8
    assert store.index_problems() == {}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("video_id/c/0", "video_id"),
        ("clip_id/c/0", "clip_id"),
        ("volume/zarr.json", "volume/zarr.json"),
    ],
)
@pytest.mark.parametrize("how", ["lost", "altered"])
def test_what_the_store_tells_of_its_rows_is_checked_and_mended(
    store: FeatureStore, name: str, told: str, how: str
) -> None:
    assert store.add_rows([FeatureRow("x", "v", -1, -1, {"default": "train"}, 70)])
    data = store.objects.read(name)
    store.objects.delete(name)
    if how == "altered":
        store.objects.write(name, data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    assert list(store.index_problems()) == [told]
    assert store.rewrite_index()
    assert store.index_problems() == {}
    assert store.objects.read(name) == data


def test_a_lost_object_is_an_error_not_zeros(store: FeatureStore) -> None:
    with pytest.raises(InputError, match="are not written yet"):
        store.read("volume", 0)
    _write(store, 0)
    store.objects.delete(OBJECT)
    with pytest.raises(StoreCorrupted, match="is missing, though it was committed") as caught:
        store.read("volume", 0)
    assert "posemill verify --repair" in str(caught.value)
    with pytest.raises(StoreCorrupted, match="volume/c/0/0/0: is missing"):
        store.valid()


def test_a_cut_object_is_noticed(store: FeatureStore) -> None:
    _write(store, 0)
    data = store.objects.read(OBJECT)
    for num_bytes in (len(data) - 1, 100, 0):
        store.objects.write(OBJECT, data[:num_bytes])
        with pytest.raises(StoreCorrupted, match=r"its index cannot be read.*verify --repair"):
            store.read("volume", 0)
        with pytest.raises(StoreCorrupted, match=f"has {num_bytes} bytes"):
            store.valid()


def test_a_flipped_bit_is_noticed(store: FeatureStore) -> None:
    _write(store, 0)
    data = store.objects.read(OBJECT)
    written = _volume(0)["volume"]
    for at in range(0, len(data), 41):
        store.objects.write(OBJECT, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(StoreCorrupted, match="another CRC-32C"):
            check_every_byte(store, store.committed()[0])
        for row in range(3):
            try:
                found = store.read("volume", row)
            except StoreCorrupted:
                continue
            assert np.array_equal(found, written[row])


def test_a_late_writer_of_an_old_state_is_found_and_undone(store: FeatureStore) -> None:
    _write(store, 0, "old")
    old_bytes = store.objects.read(OBJECT)
    store.write_shard(0, "new", [_block(99)])
    store.objects.write(OBJECT, old_bytes)
    damaged = store.committed()[0]
    with pytest.raises(StoreCorrupted):
        check_every_byte(store, damaged)
    assert store.void(damaged)
    assert store.committed() == {}
    assert not store.valid()[:64].any()
    assert store.write_shard(0, "new", [_block(99)])
    assert store.committed()[0].generation == 3
    check_every_byte(store, store.committed()[0])
    assert np.array_equal(store.read("volume", slice(0, 3)), _volume(99)["volume"])


def test_a_writer_of_another_state_between_two_blocks_is_found(place: str) -> None:
    store = FeatureStore.create(f"{place}/features.zarr", SPECS, {}, (), clips_per_shard=3)
    rows = [FeatureRow(f"c{number}", "v", -1, -1, {}, 0) for number in range(6)]
    store.add_rows(rows)

    def with_a_stranger_between() -> Iterator[Block]:
        yield _block(1)
        with pytest.raises(ValueError, match="got 3"):  # as far as a writer that is killed
            store.write_shard(0, "other", [_block(9)])
        yield _block(2)

    assert store.write_shard(0, "sha", with_a_stranger_between())
    with pytest.raises(StoreCorrupted, match="volume/c/0/0/0: has"):
        check_every_byte(store, store.committed()[0])


def test_a_forged_commit_record_is_refused(store: FeatureStore) -> None:
    _write(store, 0)
    record = "commits/s000000.g000.json"
    data = store.objects.read(record)
    store.objects.write(record, data.replace(b'"sha"', b'"shb"'))
    with pytest.raises(StoreCorrupted, match="altered or cut short"):
        FeatureStore.open(store.url).committed()
    store.objects.write_all({record: data, "commits/s000009.g000.json": data})
    with pytest.raises(StoreCorrupted, match="belongs to another shard"):
        FeatureStore.open(store.url).committed()


def test_a_full_disk_is_the_environments_fault(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(store.objects), "write_all", full)
        with pytest.raises(EnvironmentFault, match="No space left on device"):
            _write(store, 0)
    assert store.committed() == {}
    assert _write(store, 0)


def _start(program: str, place: str, *names: str) -> list[subprocess.Popen[str]]:
    return [
        subprocess.Popen(
            [sys.executable, "-c", program, place, name], stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]


def _dataset(store: FeatureStore) -> xr.Dataset:
    """As others open it."""
    objects = store.objects
    where = objects.root if isinstance(objects, LocalObjects) else objects.zarr_store()
    return xr.open_zarr(where)


def _assert_grown(store: FeatureStore, num_rows: int) -> None:
    group = zarr.open_group(store.objects.zarr_store(), mode="r", use_consolidated=False)
    assert {array.shape[0] for _, array in group.arrays()} == {num_rows}
    assert FeatureStore.open(store.url).valid().shape == (num_rows,)
