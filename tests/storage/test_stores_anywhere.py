"""What stores promise, on a disk and in a bucket; what fails half-way is in the faults' tests."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from committed_files import check_every_byte
from feature_blocks import in_blocks

from posemill.errors import ConfigurationMismatch, InputError
from posemill.schema import PoseSequence, Video, VideoStatus
from posemill.storage.features import ArraySpec, FeatureRow, FeatureStore
from posemill.storage.objects import LocalObjects
from posemill.storage.poses import PlanTable, PoseStore, VideoRecord
from posemill.storage.store_root import is_absent, read_kind

MakePoses = Callable[..., PoseSequence]
MakeRecord = Callable[..., VideoRecord]
Arrays = dict[str, np.ndarray[Any, Any]]

SPECS = (
    ArraySpec("volume", ("y", "x"), (4, 5), "uint8", 1 / 255),
    ArraySpec("energy", (), (), "float32"),
)


def _arrays(count: int, seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    return {
        "volume": rng.integers(0, 256, (count, 4, 5)).astype(np.uint8),
        "energy": rng.random(count).astype(np.float32),
    }


def _rows(pose_shard: int, count: int) -> list[FeatureRow]:
    subsets = {"default": "train"}
    return [
        FeatureRow(f"{pose_shard}/{number}", "v", number % 2, -1, subsets, pose_shard)
        for number in range(count)
    ]


def test_poses_come_back_generation_by_generation(
    place: str, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    path = f"{place}/poses.zarr"
    assert is_absent(path)
    store = PoseStore.create(path, {"sizes": [1, 2]}, catalog_hint="/data/catalog")
    assert read_kind(path) == "posemill-poses"
    flat, deep = make_poses(300, 20, seed=1), make_poses(5, 2, seed=2, with_xyz=True)
    missing = make_record("b", status=VideoStatus.MISSING)
    assert store.write_shard(3, [make_record("a", flat), missing])
    assert not store.write_shard(3, [make_record("a", deep), missing])
    assert store.write_shard(3, [make_record("b", deep)], generation=1)
    again = PoseStore.open(path)
    assert again.catalog_hint == "/data/catalog"
    assert {name: entry.status for name, entry in again.entries().items()} == {"a": "ok", "b": "ok"}
    for name, written in (("a", flat), ("b", deep)):
        found = again.read(name)
        detected = written.score > 0
        assert np.array_equal(found.frame, written.frame)
        assert np.abs(found.xy_px - written.xy_px)[detected].max() <= 1 / 32
    assert np.array_equal(again.read("b").xyz_m[deep.score > 0], deep.xyz_m[deep.score > 0])  # type: ignore[index]
    assert again.has_3d()
    for shard in again.committed().values():
        check_every_byte(again, shard)
    assert pickle.loads(pickle.dumps(again)).read("b").num_rows == 10  # noqa: S301
    assert len(store.objects.at("shards").names()) == 1 + 2


def test_plans_are_frozen(place: str) -> None:
    store = PoseStore.create(f"{place}/poses.zarr", {})
    plans = [
        PlanTable(number, np.array([number]), [Video(f"v{number}", "u", 1, "id")], np.ones(1))
        for number in range(2)
    ]
    assert store.add_plan(0, plans[0])
    assert not store.add_plan(0, plans[0])
    assert store.add_plan(1, plans[1])
    assert store.plans() == plans
    assert [video.id for video in store.shard_videos(1)] == ["v1"]


def test_features_come_back_and_grow(place: str) -> None:
    path = f"{place}/features.zarr"
    store = FeatureStore.create(path, SPECS, {"sigma": 1}, ("left", "right"), clips_per_shard=4)
    store.add_rows([*_rows(7, 6), *_rows(3, 1)])
    written = {7: _arrays(6, 7), 3: _arrays(1, 3), 9: _arrays(2, 9)}
    _write(store, 7, written[7])
    assert not store.write_shard(7, "sha", [])
    before = store.objects.tree()
    store.add_rows(_rows(9, 2))
    data = [name for name in before if "/c/" in name and name.split("/")[0] in ("volume", "valid")]
    assert data
    assert {name: before[name] for name in data}.items() <= store.objects.tree().items()
    for shard in (3, 9):
        _write(store, shard, written[shard])
    again = FeatureStore.open_or_create(path, SPECS, {"sigma": 1}, ("left", "right"))
    valid = [0, 1, 2, 3, 4, 5, 8, 12, 13]
    assert np.flatnonzero(again.valid()).tolist() == valid
    for name in ("volume", "energy"):
        expected = np.concatenate([written[shard][name] for shard in (7, 3, 9)])
        assert np.array_equal(again.read(name, valid), expected)
        assert np.array_equal(again.read(name, 13), expected[-1])
    for commit in again.committed().values():
        check_every_byte(again, commit)
    assert again.index_problems() == {}
    with pytest.raises(ConfigurationMismatch, match="sigma: asked for 2, the store has 1"):
        FeatureStore.open_or_create(path, SPECS, {"sigma": 2}, ("left", "right"))


def test_features_are_written_again_from_other_poses_or_where_they_are_void(place: str) -> None:
    store = FeatureStore.create(f"{place}/features.zarr", SPECS, {}, ("left", "right"))
    store.add_rows(_rows(0, 3))
    _write(store, 0, _arrays(3, 1))
    _write(store, 0, _arrays(3, 2), sha="other")
    assert store.void(store.committed()[0])
    assert store.committed() == {}
    assert not store.valid().any()
    _write(store, 0, _arrays(3, 2), sha="other")
    assert store.committed()[0].generation == 3
    assert np.array_equal(store.read("volume", slice(3)), _arrays(3, 2)["volume"])
    with pytest.raises(InputError, match="no output is called 'none'"):
        store.read("none", 0)


def test_others_open_features_without_posemill(place: str) -> None:
    store = FeatureStore.create(f"{place}/features.zarr", SPECS, {}, ("left", "right"))
    store.add_rows(_rows(0, 3))
    _write(store, 0, _arrays(3, 1))
    objects = store.objects
    where = objects.root if isinstance(objects, LocalObjects) else objects.zarr_store()
    with xr.open_zarr(where) as dataset:
        assert dataset.sizes["clip"] == 64
        assert dataset["clip_id"].values[:4].tolist() == ["0/0", "0/1", "0/2", ""]
        assert np.allclose(dataset["volume"][:3], _arrays(3, 1)["volume"] / 255)


def _write(store: FeatureStore, pose_shard: int, arrays: Arrays, sha: str = "sha") -> None:
    count = len(arrays["energy"])
    assert store.write_shard(pose_shard, sha, in_blocks(store, arrays, np.ones(count, np.bool_)))
