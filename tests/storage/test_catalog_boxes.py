"""The boxes of a catalog's clips, for some of its videos."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from posemill.errors import InputError
from posemill.schema import Clip, TimedBox, Video
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.catalog_boxes import has_boxes, read_boxes

LEFT = TimedBox(1.0, 0.0, 0.25, 0.5, 1.0)
RIGHT = TimedBox(2.0, 0.5, 0.25, 1.0, 1.0)


def catalog_of(folder: Path, clips: tuple[Clip, ...]) -> Path:
    videos = [Video(name, f"{name}.mp4", 1, "") for name in ("a", "b", "c")]
    write_catalog(folder / "catalog", Catalog("some", str(folder), videos, clips, ()))
    return folder / "catalog"


CLIPS = (
    Clip("a/0", "a", boxes=(LEFT, RIGHT)),
    Clip("b/0", "b", boxes=(RIGHT,)),
    Clip("a/1", "a"),
    Clip("a/2", "a", boxes=(LEFT,)),
    Clip("c/0", "c"),
)


def test_boxes_are_read_for_the_videos_that_are_asked_for(tmp_path: Path):
    catalog = catalog_of(tmp_path, CLIPS)
    assert has_boxes(catalog)
    assert read_boxes(catalog, ["a", "c", "unknown"]) == {"a": [(LEFT, RIGHT), (LEFT,)]}
    assert read_boxes(catalog, []) == {}


def test_a_catalog_without_boxes(tmp_path: Path):
    catalog = catalog_of(tmp_path, (CLIPS[2], CLIPS[4]))
    assert not has_boxes(catalog)
    assert read_boxes(catalog, ["a", "c"]) == {}


def test_a_catalog_of_the_first_schema_has_none(tmp_path: Path):
    catalog = catalog_of(tmp_path, CLIPS)
    clips = catalog / "clips.parquet"
    pq.write_table(pq.read_table(clips).drop_columns("boxes"), clips)
    assert not has_boxes(catalog)
    assert read_boxes(catalog, ["a"]) == {}


@pytest.mark.parametrize("damage", ["missing", "garbage"])
def test_what_is_no_catalog_is_refused(tmp_path: Path, damage: str):
    if damage == "garbage":
        (tmp_path / "clips.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match="cannot be read"):
        has_boxes(tmp_path)
