"""Frozen tables: looked into by value, and read with no thread that outlives the reading."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pytest

from posemill.storage import plans
from posemill.storage.catalog import Catalog, read_catalog, write_catalog
from posemill.storage.objects import Objects, open_objects
from posemill.storage.plans import NumberedTables, RowsWhere, read_numbered, write_numbered
from posemill.storage.store_parts import METADATA, group_metadata


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """Two tables of several row groups, one of them in no order."""
    monkeypatch.setattr(plans, "_ROW_GROUP", 3)
    part = open_objects(tmp_path / "part")
    part.create_if_absent(METADATA, group_metadata({}))
    first = {"shard": [2, 0, 1, 4, 0, 3, 3, 4], "name": list("abcdefgh")}
    second = {"shard": [7, 7, 8, 9, 9], "name": list("ijklm")}
    for number, columns in enumerate((first, second)):
        assert write_numbered(part, number, pa.table(columns))
    return part


@pytest.mark.parametrize(
    ("shard", "names"),
    [(0, "be"), (3, "fg"), (4, "dh"), (8, "k"), (9, "lm"), (5, None), (-1, None)],
)
def test_rows_are_found_by_value_in_whichever_row_groups_they_are(
    part: Objects, shard: int, names: str | None
) -> None:
    table = NumberedTables(part).find(RowsWhere("shard", shard))
    assert (table and table["name"].to_pylist()) == (names and list(names))


def test_rows_are_found_one_after_another(part: Objects) -> None:
    """In the row groups that were decoded last, in others, and in another table."""
    tables = NumberedTables(part)
    for shard, names in [(0, "be"), (2, "a"), (3, "fg"), (9, "lm"), (0, "be"), (5, ""), (9, "lm")]:
        table = tables.find(RowsWhere("shard", shard))
        assert (table["name"].to_pylist() if table else []) == list(names)


def test_tables_are_read_without_threads_of_a_dataset(
    part: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pyarrow.dataset", raising=False)
    assert [table.num_rows for table in read_numbered(part)] == [8, 5]
    assert NumberedTables(part).find(RowsWhere("shard", 4)) is not None
    empty = Catalog(name="none", root="/", videos=[], clips=(), classes=())
    write_catalog(tmp_path / "catalog", empty)
    assert read_catalog(tmp_path / "catalog").name == "none"
    assert "pyarrow.dataset" not in sys.modules
