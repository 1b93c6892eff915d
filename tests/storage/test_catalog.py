from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.schema import Clip, TimedBox, TimedLabel, Video
from posemill.storage import durable
from posemill.storage.catalog import (
    Catalog,
    is_catalog,
    needs_writing,
    read_catalog,
    read_catalog_videos,
    write_catalog,
)
from posemill.storage.identity import ABSENT

CLASSES = ("run", "walk")


def _catalog() -> Catalog:
    return Catalog(
        name="tiny",
        root="/data/tiny",
        videos=(
            Video("a", "a.mp4", 10, "x"),
            Video("b", "/other/b.mp4", 20, "y", 3.5, start_seconds=1.0, end_seconds=2.0),
        ),
        clips=(
            Clip("a", "a"),
            Clip(
                "b#0",
                "b",
                1.0,
                1.5,
                labels=(TimedLabel("run"), TimedLabel("walk", 1.0, 1.25)),
                mirror_label="walk",
                splits={"default": "train", "alt": "val"},
                boxes=(TimedBox(1.0, 0.0, 0.25, 0.5, 1.0), TimedBox(1.25, 0.1, 0.2, 0.3, 0.4)),
            ),
        ),
        classes=CLASSES,
    )


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    write_catalog(tmp_path / "new" / "catalog", _catalog())
    assert read_catalog(tmp_path / "new" / "catalog") == _catalog()
    assert sorted(path.name for path in (tmp_path / "new").rglob("*")) == [
        "catalog",
        "clips.parquet",
        "missing.txt",
        "videos.parquet",
    ]


def test_videos_that_are_not_there_are_listed_for_people(tmp_path: Path) -> None:
    videos = (Video("a", "a.mp4", 1, "1-2-3"), Video("b/ä", "b/ä.mp4", 0, ABSENT))
    write_catalog(tmp_path / "catalog", replace(_catalog(), videos=videos, clips=()))
    listed = (tmp_path / "catalog" / "missing.txt").read_text(encoding="utf-8")
    assert listed == "b/ä\tb/ä.mp4\n"


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
no_controls = st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])
parts = st.text(no_controls, min_size=1, max_size=8).filter(
    lambda part: "/" not in part and part not in (".", "..")
)
names = st.lists(parts, min_size=1, max_size=3).map("/".join)
times = st.floats(min_value=0, max_value=1e6)


@st.composite
def boxes(draw: st.DrawFn) -> TimedBox:
    sides = st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True).map(sorted)
    (left, right), (top, bottom) = draw(sides), draw(sides)
    return TimedBox(draw(times), left, top, right, bottom)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    ids = draw(st.lists(names, unique=True, max_size=4))
    videos = tuple(Video(i, draw(texts), draw(st.integers(0, 2**60)), draw(texts)) for i in ids)
    labels = st.lists(st.sampled_from(CLASSES).map(TimedLabel), max_size=2).map(tuple)
    clips = tuple(
        Clip(
            clip_id,
            draw(st.sampled_from(ids)),
            draw(times),
            labels=draw(labels),
            mirror_label=draw(st.sampled_from((None, *CLASSES))),
            splits=draw(st.dictionaries(texts, texts, max_size=2)),
            boxes=tuple(draw(st.lists(boxes(), max_size=2))),
        )
        for clip_id in (draw(st.lists(names, unique=True, max_size=4)) if ids else [])
    )
    return Catalog(draw(texts), draw(texts), videos, clips, CLASSES)


@given(catalogs())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_catalog_comes_back_as_it_was(tmp_path: Path, catalog: Catalog) -> None:
    write_catalog(tmp_path / "catalog", catalog, overwrite=True)
    assert read_catalog(tmp_path / "catalog") == catalog


def test_uris_start_from_the_root_unless_absolute() -> None:
    catalog = _catalog()
    paths = [catalog.video_path(video) for video in catalog.videos]
    assert paths == ["/data/tiny/a.mp4", "/other/b.mp4"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"videos": (Video("a", "a.mp4", 1, "x"),) * 2}, "video id may be there once"),
        ({"clips": (Clip("a", "a"), Clip("a", "b"))}, "clip id may be there once"),
        ({"clips": (Clip("a", "zzz"),)}, "of video 'zzz', not in the catalog"),
        ({"clips": (Clip("a", "a", labels=(TimedLabel("fly"),)),)}, r"not classes: \['fly'\]"),
        ({"clips": (Clip("a", "a", mirror_label="fly"),)}, r"not classes: \['fly'\]"),
        ({"classes": ("run", "run", "walk")}, "class may be there once"),
    ],
)
def test_is_validated(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(_catalog(), **change)  # type: ignore[arg-type]


def _write_other_ids(path: Path, name: str, ids: list[str]) -> None:
    """A catalog whose file `name` has other ids, as a program that is not ours may write it."""
    write_catalog(path, _catalog())
    table = pq.read_table(path / name)
    place = table.schema.get_field_index("id")
    changed = table.set_column(place, table.schema.field("id"), [ids])
    pq.write_table(changed, path / name)


@pytest.mark.parametrize("name", ["videos.parquet", "clips.parquet"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("../a", "must be a plain relative path"),
        ("/a", "must be a plain relative path"),
        ("a/", "must be a plain relative path"),
        ("a\nb", "has a control character"),
        ("a" * 300, "has 300 characters"),
        ("b", "id may be there once; given twice: ['b']"),
    ],
)
def test_ids_of_a_written_catalog_are_checked(
    tmp_path: Path, name: str, bad: str, message: str
) -> None:
    _write_other_ids(tmp_path / "catalog", name, [bad, "b"])
    readers = [read_catalog] if name.startswith("clips") else [read_catalog, read_catalog_videos]
    for read in readers:
        with pytest.raises(InputError, match=f"not a valid catalog: .*{re.escape(message)}"):
            read(tmp_path / "catalog")


def test_videos_are_read_without_the_clips(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog", _catalog())
    found = read_catalog_videos(tmp_path / "catalog")
    assert found.videos == _catalog().videos
    assert found.paths() == [_catalog().video_path(video) for video in _catalog().videos]


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog", _catalog())
    path = tmp_path / "catalog" / "videos.parquet"
    data = bytearray(path.read_bytes())
    data[data.index(b"b.mp4")] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="not a readable catalog"):
        read_catalog(tmp_path / "catalog")


def test_is_not_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "catalog"
    write_catalog(path, _catalog())
    other = replace(_catalog(), name="other")
    with pytest.raises(InputError, match=r"differs from what would be written.*--overwrite"):
        write_catalog(path, other)
    assert read_catalog(path) == _catalog()
    write_catalog(path, replace(_catalog(), name="other"), overwrite=True)
    assert read_catalog(path).name == "other"


def test_an_equal_catalog_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog"
    write_catalog(path, _catalog())
    before = {file: file.stat().st_ino for file in path.iterdir()}
    assert not needs_writing(path, _catalog())
    write_catalog(path, _catalog())
    assert {file: file.stat().st_ino for file in path.iterdir()} == before


def test_overwrites_nothing_but_a_catalog(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep me")
    with pytest.raises(InputError, match="is there and is not a catalog"):
        write_catalog(tmp_path, _catalog(), overwrite=True)
    assert (tmp_path / "precious.txt").read_text() == "keep me"


def test_the_current_folder_may_become_a_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_catalog(".", _catalog())
    assert read_catalog(".") == _catalog()
    write_catalog(".", replace(_catalog(), name="other"), overwrite=True)
    assert read_catalog(tmp_path).name == "other"


@pytest.mark.parametrize("change", [{"name": "other"}, {"videos": _catalog().videos[::-1]}])
def test_a_catalog_that_was_overwritten_half_way_is_refused_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    path = tmp_path / "catalog"
    write_catalog(path, _catalog())
    other = replace(_catalog(), **change)  # type: ignore[arg-type]
    real = os.replace

    def die_second(draft: Path, target: Path) -> None:
        if target.name == "clips.parquet":
            raise KeyboardInterrupt
        real(draft, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die_second)
        with pytest.raises(KeyboardInterrupt):
            write_catalog(path, other, overwrite=True)
    with pytest.raises(InputError, match=r"are of two catalogs.*again with --overwrite"):
        read_catalog(path)
    write_catalog(path, other, overwrite=True)
    assert read_catalog(path) == other
    assert sorted(file.name for file in path.glob("*.parquet")) == [
        "clips.parquet",
        "videos.parquet",
    ]
    assert len(list(path.iterdir())) == 3


def test_a_full_disk_leaves_the_catalog_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalog"
    write_catalog(path, _catalog())
    real = durable.write_file

    def full(file: Path, data: bytes) -> None:
        if "clips" in file.name:
            raise OSError(28, "No space left on device")
        real(file, data)

    monkeypatch.setattr(durable, "write_file", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_catalog(path, replace(_catalog(), name="other"), overwrite=True)
    assert read_catalog(path) == _catalog()


def test_a_catalog_that_may_not_be_seen_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    for look in (is_catalog, lambda path: write_catalog(path, _catalog())):
        with pytest.raises(InputError, match=r"locked.*Permission denied.*Correct the permissions"):
            look(tmp_path / "locked")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written there"):
        write_catalog(tmp_path / "file" / "catalog", _catalog())


def test_what_is_no_catalog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a readable catalog"):
        read_catalog(tmp_path)
    write_catalog(tmp_path / "catalog", _catalog())
    (tmp_path / "catalog" / "videos.parquet").write_bytes(b"not parquet")
    with pytest.raises(InputError, match="not a readable catalog"):
        read_catalog(tmp_path / "catalog")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "not a posemill catalog's"),
        ({b"posemill": b'{"kind":"posemill-catalog","schema_version":99}'}, "reads up to 2"),
        ({b"posemill": b'{"kind":"posemill-catalog","schema_version":2}'}, "not a valid catalog"),
    ],
)
def test_foreign_and_newer_files_are_refused(
    tmp_path: Path, metadata: dict[bytes, bytes], message: str
) -> None:
    path = tmp_path / "catalog"
    write_catalog(path, _catalog())
    for file in path.glob("*.parquet"):
        pq.write_table(pq.read_table(file).replace_schema_metadata(metadata), file)
    with pytest.raises(InputError, match=message):
        read_catalog(path)


def _rewrite(file: Path, table: pa.Table, **changed: object) -> None:
    metadata = {**json.loads(table.schema.metadata[b"posemill"]), **changed}
    pq.write_table(table.replace_schema_metadata({b"posemill": json.dumps(metadata)}), file)


def test_a_catalog_from_before_there_were_boxes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "catalog"
    write_catalog(path, _catalog())
    for file in path.glob("*.parquet"):
        table = pq.read_table(file)
        known = [name for name in table.column_names if name != "boxes"]
        _rewrite(file, table.select(known), schema_version=1)
    without = tuple(replace(clip, boxes=()) for clip in _catalog().clips)
    assert read_catalog(path) == replace(_catalog(), clips=without)


@pytest.mark.parametrize(("side", "value"), [("left", 0.75), ("bottom", 1.5), ("top", None)])
def test_a_box_that_cannot_be_is_refused(tmp_path: Path, side: str, value: float | None) -> None:
    path = tmp_path / "catalog"
    write_catalog(path, _catalog())
    table = pq.read_table(path / "clips.parquet")
    boxes = table["boxes"].to_pylist()
    boxes[1][0][side] = value
    place = table.column_names.index("boxes")
    _rewrite(path / "clips.parquet", table.set_column(place, "boxes", [boxes]))
    with pytest.raises(InputError, match="not a valid catalog"):
        read_catalog(path)


def test_an_id_that_is_there_twice_is_refused_by_name(tmp_path: Path) -> None:
    catalog = Catalog("set", "/videos", (Video("a/1", "a/1.mp4", 10, "x"),), (), ())
    write_catalog(tmp_path / "catalog", catalog)
    path = tmp_path / "catalog" / "videos.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table]), path)
    with pytest.raises(
        InputError, match=r"each video id may be there once; given twice: \['a/1'\]"
    ):
        read_catalog(tmp_path / "catalog")
