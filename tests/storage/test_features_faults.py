"""Kills, races and damage of a feature store."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

from posemill.errors import EnvironmentFault, InputError, StoreCorrupted
from posemill.storage import feature_arrays, feature_plan, store_base
from posemill.storage.features import ArraySpec, Block, FeatureRow, FeatureStore

SPECS = (ArraySpec("volume", ("y", "x"), (8, 8), "uint8", 1 / 255),)

WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from posemill.storage.features import FeatureStore
store = FeatureStore.open(sys.argv[1])
(store.root.parent / f"ready-{sys.argv[2]}").touch()
while not (store.root.parent / "go").exists():
    time.sleep(0.001)
def volume(shard):
    return np.random.default_rng(shard).integers(0, 256, (3, 8, 8)).astype(np.uint8)
print(*(shard for shard in range(8)
        if store.write_shard(shard, "sha", [({"volume": volume(shard)}, np.ones(3, bool))])))
"""


def _rows(pose_shard: int) -> list[FeatureRow]:
    return [FeatureRow(f"{pose_shard}/{i}", "v", -1, -1, {}, pose_shard) for i in range(3)]


def _volume(seed: int) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    return {"volume": rng.integers(0, 256, (3, 8, 8)).astype(np.uint8)}


def _block(seed: int) -> Block:
    return _volume(seed), np.ones(3, np.bool_)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    store = FeatureStore.create(tmp_path / "features.zarr", SPECS, {}, ())
    store.add_rows([row for shard in range(8) for row in _rows(shard)])
    return store


def _write(store: FeatureStore, shard: int, sha: str = "sha") -> bool:
    return store.write_shard(shard, sha, [_block(shard)])


def test_racing_writers_write_the_same_and_commit_once(store: FeatureStore) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.root), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("a", "b")
    ]
    while len(list(store.root.parent.glob("ready-*"))) < 2:
        assert all(racer.poll() is None for racer in racers)
    (store.root.parent / "go").touch()
    wins = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert sorted(wins[0] + wins[1]) == [str(shard) for shard in range(8)]
    for shard, commit in store.committed().items():
        store.verify(commit)
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
        patch.setattr(store_base, "create_if_absent", die)
        with pytest.raises(KeyboardInterrupt):
            _write(store, 3)
    assert store.committed() == {}
    assert _write(store, 3)
    store.verify(store.committed()[3])


@pytest.mark.parametrize("step", ["grow_arrays", "_write_index", "_write_subsets", "consolidate"])
def test_interrupted_growth_is_invisible_and_finished_later(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(feature_arrays, step, die)
        with pytest.raises(EnvironmentFault, match="No space left"):
            store.add_rows(_rows(50))
    with xr.open_zarr(store.root) as dataset:
        assert dataset.sizes["clip"] == 8 * 64
    again = FeatureStore.open_or_create(store.root, SPECS, {}, ())
    assert again.row_range(50) == (512, 576)
    assert _write(again, 50)
    with xr.open_zarr(store.root) as dataset:
        assert dataset["clip_id"].values[512:516].tolist() == ["50/0", "50/1", "50/2", ""]


def test_who_loses_the_race_for_rows_is_told(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FeatureStore.open(store.root)
    assert other.num_rows == 512
    real = feature_plan.read_numbered
    stale = real(store.root / "plan")
    assert store.add_rows(_rows(60))
    answers = iter([stale])
    monkeypatch.setattr(
        feature_plan, "read_numbered", lambda path: next(answers, None) or real(path)
    )
    assert not other.add_rows(_rows(61))
    assert other.row_range(60) == (512, 576)
    assert other.add_rows(_rows(61))
    assert other.row_range(61) == (576, 640)


@pytest.mark.parametrize("step", ["_write_index", "_write_subsets", "consolidate"])
def test_who_grows_by_an_older_plan_shrinks_nothing(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    other = FeatureStore.open(store.root)
    waits, done = Event(), Event()
    lock, real = fcntl.flock, getattr(feature_arrays, step)

    def overtake() -> None:
        other.add_rows([FeatureRow("new", "v", -1, -1, {"default": "train"}, 61)])
        done.set()

    def note_lock(descriptor: int, operation: int) -> None:
        if current_thread() is overtaker:
            waits.set()
        lock(descriptor, operation)

    def be_slow(*arguments: Any) -> None:
        if not overtaker.ident:
            overtaker.start()
            while not (waits.is_set() or done.is_set()):
                time.sleep(0.001)
        real(*arguments)

    overtaker = Thread(target=overtake, daemon=True)
    monkeypatch.setattr(fcntl, "flock", note_lock)
    monkeypatch.setattr(feature_arrays, step, be_slow)
    assert store.add_rows(_rows(60))
    overtaker.join(timeout=60)
    assert done.is_set()
    assert FeatureStore.open(store.root).row_range(61) == (576, 640)
    group = zarr.open_group(store.root, mode="r", use_consolidated=False)
    assert {array.shape[0] for _, array in group.arrays()} == {640}
    with xr.open_zarr(store.root) as dataset:
        assert dataset["clip_id"].values[[512, 576]].tolist() == ["60/0", "new"]
        assert dataset["subset"].values[[512, 576]].tolist() == [[-1], [0]]


def test_a_lost_object_is_an_error_not_zeros(store: FeatureStore) -> None:
    with pytest.raises(InputError, match="are not written yet"):
        store.read("volume", 0)
    _write(store, 0)
    (store.root / "volume" / "c" / "0" / "0" / "0").unlink()
    with pytest.raises(StoreCorrupted, match="is missing, though it was committed") as caught:
        store.read("volume", 0)
    assert f"or remove {store.root} and materialize" in str(caught.value)
    with pytest.raises(StoreCorrupted, match="volume/c/0/0/0: is missing"):
        store.verify_files(store.committed()[0])


def test_a_cut_object_is_noticed(store: FeatureStore) -> None:
    _write(store, 0)
    path = store.root / "volume" / "c" / "0" / "0" / "0"
    for num_bytes in (path.stat().st_size - 1, 100, 0):
        os.truncate(path, num_bytes)
        with pytest.raises(StoreCorrupted, match=r"not match its checksum.*remove the feature"):
            store.read("volume", 0)
        with pytest.raises(StoreCorrupted, match=f"has {num_bytes} bytes"):
            store.verify_files(store.committed()[0])


def test_a_flipped_bit_is_noticed(store: FeatureStore) -> None:
    _write(store, 0)
    path = store.root / "volume" / "c" / "0" / "0" / "0"
    data = path.read_bytes()
    written = _volume(0)["volume"]
    for at in range(0, len(data), 41):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(StoreCorrupted, match="another CRC-32C"):
            store.verify(store.committed()[0])
        for row in range(3):
            try:
                found = store.read("volume", row)
            except StoreCorrupted:
                continue
            assert np.array_equal(found, written[row])


def test_a_late_writer_of_an_old_state_is_found_and_undone(store: FeatureStore) -> None:
    _write(store, 0, "old")
    path = store.root / "volume" / "c" / "0" / "0" / "0"
    old_bytes = path.read_bytes()
    store.write_shard(0, "new", [_block(99)])
    path.write_bytes(old_bytes)
    damaged = store.committed()[0]
    with pytest.raises(StoreCorrupted):
        store.verify(damaged)
    assert store.void(damaged)
    assert store.committed() == {}
    assert not store.valid()[:64].any()
    assert store.write_shard(0, "new", [_block(99)])
    assert store.committed()[0].generation == 3
    store.verify(store.committed()[0])
    assert np.array_equal(store.read("volume", slice(0, 3)), _volume(99)["volume"])


def test_a_writer_of_another_state_between_two_blocks_is_found(tmp_path: Path) -> None:
    store = FeatureStore.create(tmp_path / "features.zarr", SPECS, {}, (), clips_per_shard=3)
    rows = [FeatureRow(f"c{number}", "v", -1, -1, {}, 0) for number in range(6)]
    store.add_rows(rows)

    def with_a_stranger_between() -> Iterator[Block]:
        yield _block(1)
        with pytest.raises(ValueError, match="got 3"):  # as far as a writer that is killed
            store.write_shard(0, "other", [_block(9)])
        yield _block(2)

    assert store.write_shard(0, "sha", with_a_stranger_between())
    with pytest.raises(StoreCorrupted, match="volume/c/0/0/0: has"):
        store.verify(store.committed()[0])


def test_a_forged_commit_record_is_refused(store: FeatureStore) -> None:
    _write(store, 0)
    path = store.root / "commits" / "s000000.g000.json"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"sha"', b'"shb"'))
    with pytest.raises(StoreCorrupted, match="altered or cut short"):
        FeatureStore.open(store.root).committed()
    path.write_bytes(data)
    path.with_name("s000009.g000.json").write_bytes(data)
    with pytest.raises(StoreCorrupted, match="belongs to another shard"):
        FeatureStore.open(store.root).committed()


def test_a_full_disk_is_the_environments_fault(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(feature_arrays, "sync_file", full)
        with pytest.raises(EnvironmentFault, match="No space left on device"):
            _write(store, 0)
    assert store.committed() == {}
    assert _write(store, 0)
