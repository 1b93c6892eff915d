"""How stores are made, found and recognised, and what is said where that fails."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from posemill.errors import ConfigurationMismatch, EnvironmentFault, InputError, StoreCorrupted
from posemill.storage import store_root
from posemill.storage.features import ArraySpec, FeatureStore
from posemill.storage.objects import LocalObjects, Objects, open_objects
from posemill.storage.objects_remote import ObstoreObjects
from posemill.storage.poses import PoseStore
from posemill.storage.store_root import is_absent, read_kind

Store = PoseStore | FeatureStore
SPECS = (ArraySpec("volume", ("y",), (2,), "uint8"),)


def _poses(path: Path | str, sigma: int = 1) -> Store:
    return PoseStore.open_or_create(path, {"sigma": sigma})


def _features(path: Path | str, sigma: int = 1) -> Store:
    return FeatureStore.open_or_create(path, SPECS, {"sigma": sigma}, ())


both = pytest.mark.parametrize("open_or_create", [_poses, _features])


@both
def test_who_starts_second_goes_on_in_the_firsts_store(
    place: str, monkeypatch: pytest.MonkeyPatch, open_or_create: Callable[..., Store]
) -> None:
    path = f"{place}/store.zarr"
    real = store_root.require_primitives

    def be_second(objects: Objects, place: str) -> None:
        # The other driver starts and finishes while this one tries the place out.
        monkeypatch.setattr(store_root, "require_primitives", real)
        open_or_create(path)
        real(objects, place)

    monkeypatch.setattr(store_root, "require_primitives", be_second)
    assert open_or_create(path).configuration == {"sigma": 1}
    assert open_objects(place).names() == ["store.zarr"]
    with pytest.raises(ConfigurationMismatch, match="sigma: asked for 2, the store has 1"):
        open_or_create(path, 2)


@both
def test_a_store_that_appears_just_before_the_look_is_gone_on_with(
    place: str, monkeypatch: pytest.MonkeyPatch, open_or_create: Callable[..., Store]
) -> None:
    path = f"{place}/store.zarr"
    looks: list[str] = []

    def look(place: str) -> bool:
        if not looks:
            looks.append(place)
            open_or_create(place)
        return is_absent(place)

    monkeypatch.setattr(store_root, "is_absent", look)
    assert open_or_create(path).configuration == {"sigma": 1}


@both
@pytest.mark.parametrize("num_written", [0, 1, 2])
def test_a_store_whose_creation_broke_off_in_a_bucket_is_none_and_is_made_again(
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    open_or_create: Callable[..., Store],
    num_written: int,
) -> None:
    class Killed(BaseException):
        pass

    real = ObstoreObjects.write_all

    def die(self: ObstoreObjects, files: Mapping[str, bytes]) -> None:
        real(self, dict(list(files.items())[:num_written]))
        raise Killed

    path = f"{bucket}/store.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(ObstoreObjects, "write_all", die)
        with pytest.raises(Killed):
            open_or_create(path, 1)
    assert is_absent(path)
    assert read_kind(path) is None
    with pytest.raises(InputError, match="is not a posemill-poses store: it does not exist"):
        PoseStore.open(path)
    # Even with another configuration: nothing of the first one counts.
    assert open_or_create(path, 2).configuration == {"sigma": 2}
    assert open_or_create(path, 2).committed() == {}


@both
def test_what_is_no_store_in_a_bucket_is_left_alone(
    bucket: str, open_or_create: Callable[..., Store]
) -> None:
    objects = open_objects(f"{bucket}/data")
    objects.write("notes.txt", b"keep")
    with pytest.raises(InputError, match=r"has no readable zarr\.json"):
        open_or_create(objects.url)
    objects.write("zarr.json", b'{"attributes": {"kind": "other"}}')
    with pytest.raises(InputError, match="is of kind 'other'"):
        open_or_create(objects.url)
    assert objects.names() == ["notes.txt", "zarr.json"]


@both
def test_a_store_in_a_bucket_that_lost_its_root_is_not_made_anew(
    bucket: str, open_or_create: Callable[..., Store]
) -> None:
    store = open_or_create(f"{bucket}/store.zarr")
    store.objects.write_all({"commits/s000000.g000.json": b"{}"})
    store.objects.delete("zarr.json")
    with pytest.raises(InputError, match=r"has no readable zarr\.json"):
        open_or_create(store.url)


def test_an_object_store_that_replaces_whatever_is_there_is_refused(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ignore_the_version(self: ObstoreObjects, name: str, data: bytes, version: object) -> bool:
        self.write(name, data)
        return True

    monkeypatch.setattr(ObstoreObjects, "_put_if", ignore_the_version)
    with pytest.raises(InputError, match=r"poses\.zarr: no store can be made there: two writers"):
        PoseStore.create(f"{bucket}/poses.zarr", {})
    assert open_objects(bucket).tree() == {}


@both
@pytest.mark.parametrize("name", ["schema_version", "configuration", "configuration_hash"])
def test_a_root_that_was_cut_or_edited_is_refused(
    place: str, open_or_create: Callable[..., Store], name: str
) -> None:
    store = open_or_create(f"{place}/store.zarr")
    content = store.objects.read("zarr.json")
    metadata = json.loads(content)
    del metadata["attributes"][name]
    store.objects.write("zarr.json", json.dumps(metadata).encode())
    with pytest.raises(StoreCorrupted, match="does not match its hash"):
        open_or_create(store.url)
    store.objects.write("zarr.json", content[: len(content) // 2])
    with pytest.raises(InputError, match=r"has no readable zarr\.json"):
        open_or_create(store.url)


def test_a_place_where_two_writers_create_one_object_is_refused(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overwrite(self: Objects, name: str, data: bytes) -> bool:
        self.write(name, data)
        return True

    path = f"{place}/poses.zarr"
    monkeypatch.setattr(type(open_objects(place)), "create_if_absent", overwrite)
    with pytest.raises(InputError, match=r"poses\.zarr: no store can be made there: two writers"):
        PoseStore.create(path, {})
    assert open_objects(place).tree() == {}


def test_a_file_system_without_links_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", _refuse)
    with pytest.raises(InputError, match=r"refuses to link a file \(Permission denied\)"):
        PoseStore.create(tmp_path / "poses.zarr", {})
    assert list(tmp_path.iterdir()) == []


@both
def test_the_current_folder_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_or_create: Callable[..., Store]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match=r"here: is the current folder.*Give the name of a new"):
        open_or_create(".")
    assert [path.name for path in tmp_path.rglob("*")] == ["here"]
    assert open_or_create("a.zarr").committed() == {}


@both
@pytest.mark.parametrize("name", ["commits", "plan"])
def test_a_store_without_one_of_its_parts_is_corrupted(
    place: str, open_or_create: Callable[..., Store], name: str
) -> None:
    store = open_or_create(f"{place}/store.zarr")
    store.objects.at(name).delete_tree()
    with pytest.raises(StoreCorrupted, match=f"{name}: this folder of the store is not there"):
        _look(store)


@both
def test_a_store_whose_folders_may_not_be_read_is_the_environments_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_or_create: Callable[..., Store]
) -> None:
    store = open_or_create(tmp_path / "store.zarr")
    monkeypatch.setattr(LocalObjects, "names", _refuse)
    with pytest.raises(EnvironmentFault, match="Permission denied"):
        _look(store)


def test_a_store_that_may_not_be_seen_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked" / "poses.zarr"
    PoseStore.create(path, {})
    monkeypatch.setattr(os, "open", _refuse)
    for look in (read_kind, PoseStore.open):
        with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
            look(path)
    monkeypatch.setattr(Path, "stat", _refuse)
    with pytest.raises(InputError, match=r"poses\.zarr: cannot be read \(Permission denied\)"):
        PoseStore.open_or_create(path, {})


def _look(store: Store) -> None:
    store.committed()
    if isinstance(store, PoseStore):
        store.plans()
    else:
        FeatureStore.open(store.url).rows()


def _refuse(path: object, *_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied", str(path))
