"""The stage `export`: what all kinds have in common."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from export_stores import (
    make_catalog,
    make_pose_store,
    record,
    run_export,
    some_poses,
    tree,
)
from potion_stores import make_potion_store

from posemill.errors import DiskRefused, InputError
from posemill.pipelines.events import Event, ItemDone, StageEnded, StageStarted
from posemill.pipelines.export import ExportConfig, export, plan_export
from posemill.pipelines.export_items import NOT_IN_STORE, NOT_MADE, UNFIT
from posemill.schema import VideoStatus
from posemill.storage.exports import tracks
from posemill.storage.exports.registry import create_export, export_names, get_export
from posemill.storage.poses import PoseStore

KINDS = ("coco", "movement", "parquet", "pyskl", "webdataset")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    make_pose_store(tmp_path / "poses.zarr", make_catalog(tmp_path / "catalog"))
    return tmp_path / "poses.zarr"


@pytest.fixture
def features(tmp_path: Path) -> Path:
    make_potion_store(tmp_path / "features.zarr", per_class={"train": 2, "test": 1})
    return tmp_path / "features.zarr"


def source_of(kind: str, store: Path, features: Path) -> Path:
    return features if kind == "webdataset" else store


def test_all_kinds_are_registered() -> None:
    assert export_names() == list(KINDS)
    for name in KINDS:
        assert get_export(name).name == name


@pytest.mark.parametrize("kind", KINDS)
def test_equal_stores_give_equal_bytes_and_nothing_else_is_left(
    kind: str, store: Path, features: Path, tmp_path: Path
) -> None:
    source = source_of(kind, store, features)
    before = {path.name for path in tmp_path.iterdir()}
    summary = run_export(kind, source, tmp_path / "new" / "one")
    run_export(kind, source, tmp_path / "two")
    assert tree(tmp_path / "new" / "one") == tree(tmp_path / "two") != {}
    assert summary.num_bytes == sum(map(len, tree(tmp_path / "two").values()))
    assert {path.name for path in tmp_path.iterdir()} - before == {"new", "two"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["one"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_never_replaces_anything(kind: str, store: Path, features: Path, tmp_path: Path) -> None:
    source, out = source_of(kind, store, features), tmp_path / "out"
    run_export(kind, source, out)
    before = tree(out)
    with pytest.raises(InputError, match=r"out: is there already; an export never replaces"):
        run_export(kind, source, out)
    assert tree(out) == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_leaves_nothing(
    kind: str, store: Path, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, ItemDone):
            raise KeyboardInterrupt

    out = tmp_path / "new" / "out"
    config = ExportConfig(create_export(kind), source_of(kind, store, features), str(out))
    with pytest.raises(KeyboardInterrupt):
        export(config, stop)
    assert not list(out.parent.iterdir())


@pytest.mark.parametrize("kind", ["coco", "movement"])
def test_what_another_process_made_meanwhile_stays(kind: str, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def intrude(event: Event) -> None:
        if isinstance(event, StageStarted) and kind == "coco":
            out.write_text("theirs")
        elif isinstance(event, StageStarted):
            out.mkdir()
            (out / "file").write_text("theirs")

    with pytest.raises(InputError, match="is there already"):
        export(ExportConfig(create_export(kind), store, str(out)), intrude)
    assert list(tree(out).values()) == [b"theirs"]


def test_a_file_system_without_hard_links_will_do(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    run_export("coco", store, tmp_path / "out.json")
    assert (tmp_path / "out.json").is_file()


@pytest.mark.parametrize("kind", ["coco", "movement", "parquet"])
def test_videos_that_are_not_exported_are_named_with_the_reason(
    kind: str, store: Path, tmp_path: Path
) -> None:
    summary = run_export(kind, store, tmp_path / "out")
    assert (summary.unit, summary.num_written) == ("video", 3)
    left_out = {each.item_id: (each.why, each.message) for each in summary.left_out}
    assert left_out == {
        "gone": ("missing", "gone.mp4: no frame"),
        "broken": ("quarantined", "broken.mp4: no frame"),
        "later": (NOT_MADE, ""),
    }
    assert summary.num_unhappy == 2
    assert summary.as_dict()["left_out"] == {"missing": 1, NOT_MADE: 1, "quarantined": 1}


@pytest.mark.parametrize("kind", ["movement", "pyskl"])
def test_clips_that_are_not_exported_are_named_with_the_reason(
    kind: str, store: Path, tmp_path: Path
) -> None:
    summary = run_export(kind, store, tmp_path / "out", tmp_path / "catalog")
    assert (summary.unit, summary.num_written) == ("clip", 4)
    assert {each.item_id: each.why for each in summary.left_out} == {
        "c/gone": "missing",
        "c/broken": "quarantined",
        "c/later": NOT_MADE,
        "c/elsewhere": NOT_IN_STORE,
        "c/after": UNFIT,
    }


def test_a_dry_run_tells_the_same_and_writes_nothing(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.json"
    plan = plan_export(ExportConfig(create_export("coco"), store, str(out)))
    assert (plan.unit, plan.num_items) == ("video", 3)
    assert not out.parent.exists()
    summary = run_export("coco", store, out)
    assert plan.left_out == summary.left_out
    with pytest.raises(InputError, match="is there already"):
        plan_export(ExportConfig(create_export("coco"), store, str(out)))


def test_every_item_and_the_stage_are_told_of(store: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    export(ExportConfig(create_export("coco"), store, str(tmp_path / "out")), events.append)
    assert events[0] == StageStarted("export", 2, 3)
    items = [event for event in events if isinstance(event, ItemDone)]
    assert [(item.item_id, item.status) for item in items] == [
        *(("walk/a.b", "ok"), ("walk/nobody", "empty"), ("run/ü", "damaged")),
    ]
    assert isinstance(events[-1], StageEnded)


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_of_the_other_kind_is_refused(
    kind: str, store: Path, features: Path, tmp_path: Path
) -> None:
    other = store if kind == "webdataset" else features
    with pytest.raises(InputError, match=rf"export {kind} takes a (pose|feature) store, and this"):
        run_export(kind, other, tmp_path / "out")


@pytest.mark.parametrize("kind", ["coco", "parquet", "webdataset"])
def test_a_catalog_is_refused_where_none_is_taken(
    kind: str, store: Path, features: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="leave --catalog out"):
        run_export(kind, source_of(kind, store, features), tmp_path / "o", tmp_path / "catalog")


def test_clips_need_a_catalog(tmp_path: Path) -> None:
    make_pose_store(tmp_path / "own.zarr")
    with pytest.raises(InputError, match="names no catalog; give one with --catalog"):
        run_export("pyskl", tmp_path / "own.zarr", tmp_path / "out")


def test_an_address_is_no_output(store: Path) -> None:
    with pytest.raises(InputError, match="s3://bucket/x: exports are written to a disk"):
        export(ExportConfig(create_export("coco"), store, "s3://bucket/x"), lambda _: None)


def test_a_store_in_which_nothing_is_made_is_refused(tmp_path: Path) -> None:
    PoseStore.create(tmp_path / "none.zarr", {"skeleton": "coco-17"})
    with pytest.raises(InputError, match="nothing to export, 0 left out"):
        run_export("coco", tmp_path / "none.zarr", tmp_path / "out")


def test_where_all_is_unfit_nothing_is_written(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "MAX_ITEM_BYTES", 0)
    with pytest.raises(InputError, match=r"5 left out, e\.g\. c/walk: left out, unfit"):
        run_export("pyskl", store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_disk_that_refuses_is_named(store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskRefused, match="the disk refused"):
        run_export("coco", store, tmp_path / "file" / "out")


def test_shards_made_anew_during_an_export_do_not_mix(store: Path, tmp_path: Path) -> None:
    """What is exported is of the commits that there were at the start."""
    first = run_export("parquet", store, tmp_path / "one")
    opened = PoseStore.open(store)
    commit = opened.current(1)

    def redo(event: Event) -> None:
        if isinstance(event, StageStarted):
            poses = some_poses({0: range(5)}, 9, seed=7)
            assert opened.write_shard(1, [record("broken", VideoStatus.OK, poses)], generation=1)

    assert commit.generation == 0
    export(ExportConfig(create_export("parquet"), store, str(tmp_path / "two")), redo)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert first.num_written == 3
