"""How stores are made, found and recognised, and what is said where that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import pytest

from posemill.errors import ConfigurationMismatch, EnvironmentFault, InputError, StoreCorrupted
from posemill.storage import store_root
from posemill.storage.features import ArraySpec, FeatureStore
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_or_create: Callable[..., Store]
) -> None:
    path = tmp_path / "store.zarr"
    real = store_root.require_create_if_absent

    def be_second(draft: Path) -> None:
        # The other driver starts and finishes while this one makes its draft.
        monkeypatch.setattr(store_root, "require_create_if_absent", real)
        open_or_create(path)
        real(draft)

    monkeypatch.setattr(store_root, "require_create_if_absent", be_second)
    assert open_or_create(path).configuration == {"sigma": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["store.zarr"]
    with pytest.raises(ConfigurationMismatch, match="sigma: asked for 2, the store has 1"):
        open_or_create(path, 2)


@both
def test_a_store_that_appears_just_before_the_look_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_or_create: Callable[..., Store]
) -> None:
    path = tmp_path / "store.zarr"
    looks: list[Path] = []

    def look(place: Path) -> bool:
        if not looks:
            looks.append(place)
            open_or_create(place)
        return is_absent(place)

    monkeypatch.setattr(store_root, "is_absent", look)
    assert open_or_create(path).configuration == {"sigma": 1}


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
def test_a_store_without_one_of_its_folders_is_corrupted(
    tmp_path: Path, open_or_create: Callable[..., Store], name: str
) -> None:
    store = open_or_create(tmp_path / "store.zarr")
    rmtree(store.root / name)
    with pytest.raises(StoreCorrupted, match=f"{name}: this folder of the store is not there"):
        _look(store)


@both
def test_a_store_whose_folders_may_not_be_read_is_the_environments_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_or_create: Callable[..., Store]
) -> None:
    store = open_or_create(tmp_path / "store.zarr")
    monkeypatch.setattr(Path, "iterdir", _refuse)
    with pytest.raises(EnvironmentFault, match="Permission denied"):
        _look(store)


def test_a_store_that_may_not_be_seen_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked" / "poses.zarr"
    PoseStore.create(path, {})
    monkeypatch.setattr(Path, "read_bytes", _refuse)
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
        FeatureStore.open(store.root).rows()


def _refuse(path: Path, **_: object) -> None:
    raise PermissionError(13, "Permission denied", str(path))
