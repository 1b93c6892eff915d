"""A user's own tables: CSV, JSON lines and Parquet with columns of other names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_files import labels, put_files, splits
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.storage.catalog import Catalog
from posemill.storage.datasets import list_rows
from posemill.storage.datasets.list_columns import ListColumns
from posemill.storage.datasets.list_file import index_list

COLUMNS = ListColumns(
    {"path": "file", "label": "action", "split:xsub": "by person", "start": "from", "end": "to"},
    label_separator="+",
)
ROWS: list[dict[str, Any]] = [
    {"file": "a.mp4", "action": "run+wave", "by person": "train", "from": 1.5, "to": 4},
    {"file": "a.mp4", "action": "", "by person": "test", "from": 5, "to": 7.25},
    {"file": "b;c.mp4", "action": "Füße + run+run", "by person": "", "from": 0, "to": 2},
]


def as_csv(rows: Sequence[Mapping[str, Any]], mark: str = ",", end: str = "\n") -> str:
    lines = [
        [*rows[0], "notes"],
        *([f'"{value}"' for value in [*row.values(), "?"]] for row in rows),
    ]
    return end.join(mark.join(line) for line in lines)


def as_parquet(file: Path, rows: Sequence[Mapping[str, Any]], **types: pa.DataType) -> Path:
    columns = {
        name: [row.get(name) for row in rows] for name in {k: 0 for row in rows for k in row}
    }
    arrays = {name: pa.array(values, types.get(name)) for name, values in columns.items()}
    pq.write_table(pa.table(arrays), file)
    return file


def require_rows(catalog: Catalog) -> None:
    assert labels(catalog) == {
        "a@1.5-4": ["run", "wave"],
        "a@5-7.25": [],
        "b;c": ["Füße", "run"],
    }
    assert splits(catalog) == {
        "a@1.5-4": {"xsub": "train"},
        "a@5-7.25": {"xsub": "test"},
        "b;c": {},
    }
    assert catalog.classes == ("Füße", "run", "wave")
    assert {v.id: (v.start_seconds, v.end_seconds) for v in catalog.videos} == {
        "a": (1.5, 7.25), "b;c": (0.0, 2.0)
    }  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_however_it_is_written(tmp_path: Path, suffix: str, mark: str, codec: str) -> None:
    file = tmp_path / f"mine.{suffix}"
    file.write_bytes(as_csv(ROWS, mark, "\r\n").encode(codec))
    require_rows(index_list(file, columns=COLUMNS))


def test_latin_1_is_read_when_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(as_csv(ROWS).encode("latin-1"))
    with pytest.raises(InputError, match=r"mine.csv, line 4: character .* is not utf-8 text"):
        index_list(file, columns=COLUMNS)
    require_rows(index_list(file, columns=ListColumns(COLUMNS.given, "+", "latin-1")))


@pytest.mark.parametrize("lists", [False, True])
def test_json_lines_and_parquet_with_texts_numbers_lists_and_nothing(
    tmp_path: Path, lists: bool
) -> None:
    rows = [dict(row, notes={"more": 1}) for row in ROWS]
    rows[1]["action"] = None
    if lists:
        rows[0]["action"] = ["run", "wave"]
        rows[2]["action"] = ["Füße", "run", None]
    text = "\ufeff" + "\r\n\r\n".join(json.dumps(row) for row in rows)
    put_files(tmp_path, {"mine.jsonl": text})
    require_rows(index_list(tmp_path / "mine.jsonl", columns=COLUMNS))
    parquet = as_parquet(tmp_path / "mine.parquet", rows)
    require_rows(index_list(parquet, columns=COLUMNS))


def test_parquet_of_other_types(tmp_path: Path) -> None:
    rows = [{"path": "a.mp4", "label": 3, "subset": "train"}, {"path": "b.mp4", "label": None}]
    kinds = {"path": pa.large_string(), "label": pa.int16()}
    kinds["subset"] = pa.dictionary(pa.int8(), pa.string())
    catalog = index_list(as_parquet(tmp_path / "x.pq", rows, **kinds))
    assert labels(catalog) == {"a": ["3"], "b": []}
    assert splits(catalog) == {"a": {"default": "train"}, "b": {}}


def test_columns_of_our_names_are_read_where_no_other_is_given(tmp_path: Path) -> None:
    table = "path,id,action,label,extra\na.mp4,one,go,no,?\n"
    put_files(tmp_path, {"x.csv": table})
    catalog = index_list(tmp_path / "x.csv", columns=ListColumns({"label": "action"}))
    assert labels(catalog) == {"one": ["go"]}
    catalog = index_list(tmp_path / "x.csv", columns=ListColumns({"subset": "label", "id": "path"}))
    assert (labels(catalog), splits(catalog)) == ({"a.mp4": []}, {"a.mp4": {"default": "no"}})


@pytest.mark.parametrize(
    ("given_columns", "separator", "fault"),
    [
        (
            {"colour": "x"},
            "",
            "--column colour=x: expected OURS=THEIRS, OURS one of path, id, label",
        ),
        ({"split:": "x"}, "", "--column split:=x: expected"),
        ({"subset": "x", "split:default": "y"}, "", "subset is the split 'default', for which two"),
        ({}, "::", "--label-separator '::': expected one character"),
        ({}, " ", "--label-separator ' ': expected one character"),
    ],
)
def test_columns_that_cannot_be(given_columns: dict[str, str], separator: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        ListColumns(given_columns, separator)


PATH = {"path": "a.mp4"}


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("x.csv", "file,from\na.mp4,1\n", "line 1: the column 'action', 'by person', 'to' is miss"),
        ("x.csv", "action\n", r"the columns are 'action'. .* --column OURS=THEIRS"),
        ("x.txt", "a.mp4\n", "a list without columns has none to choose by --column"),
        ("x.jsonl", '{"file": "a.mp4"}', "line 1: has no 'action', 'by person', .* only 'file'"),
        ("x.jsonl", "[1]", r"line 1: is '\[1\]'; expected a JSON object"),
        ("x.jsonl", '\n{"file": "a.mp4"', "line 2, character 17: .*expected JSON"),
        ("x.jsonl", '{"file": NaN}', "line 1: NaN is no number of JSON's"),
        ("x.jsonl", b'{"file": "\xff"}', "line 1: character 11 is not utf-8 text"),
        ("x.parquet", b"PAR1", "x.parquet: is not readable as Parquet"),
        ("x.parquet", b"", "x.parquet: is not readable as Parquet"),
    ],
)
def test_a_table_that_cannot_be_is_named(
    tmp_path: Path, name: str, content: str | bytes, fault: str
) -> None:
    put_files(tmp_path, {name: content})
    with pytest.raises(InputError, match=fault) as caught:
        index_list(tmp_path / name, columns=COLUMNS)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"path": None}, "2: has no path"),
        ({"path": ["a"]}, r"2: expected text or a number as path, got \['a'\]"),
        ({"path": "b.mp4", "label": {"a": 1}}, "2: expected text or a number as label"),
        ({"path": "b.mp4", "label": [["x"]]}, "2: expected text or a number as label"),
        ({"path": "b.mp4", "start": True}, "2: expected text or a number as start, got True"),
        ({"path": "b.mp4", "start": -1}, "2: expected seconds from 0 on"),
        ({"path": "a.mp4"}, "s 1 and 2: the same span"),
        ({"path": "a.avi"}, "s 1 and 2: .*have the same id"),
        ({"path": "b.mp4", "colour": "red"}, "the columns are .*Remove 'colour', or choose"),
    ],
)
def test_a_row_that_cannot_be_is_named(
    tmp_path: Path, suffix: str, row: dict[str, Any], fault: str
) -> None:
    file = tmp_path / f"x.{suffix}"
    if suffix == "jsonl":
        put_files(tmp_path, {file.name: f"{json.dumps(PATH)}\n{json.dumps(row)}"})
    else:
        first = {"path": ["b"]} if isinstance(row["path"], list) else PATH
        fault = fault.replace("2: expected text or a number as path", "1: expected text")
        fault = fault.replace(r"text, got \['a'\]", "text")
        as_parquet(file, [first, row])
    noun = {"jsonl": "line", "parquet": "row"}[suffix]
    place = "" if "colour" in row else f", {noun}" + ("" if fault.startswith("s ") else " ")
    with pytest.raises(InputError, match=rf"x\.{suffix}{place}{'' if place else '.*: '}{fault}"):
        index_list(file)


@pytest.mark.parametrize("name", ["x.txt", "x.csv", "x.jsonl"])
def test_a_list_has_so_many_rows_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(list_rows, "MAX_ROWS", 3)
    one = '{"path": "%d.mp4"}' if name == "x.jsonl" else "%d.mp4"
    lines = [*(["path"] if name == "x.csv" else []), *(one % number for number in range(3))]
    put_files(tmp_path, {name: "\n".join(lines)})
    assert len(index_list(tmp_path / name).clips) == 3
    put_files(tmp_path, {name: "\n".join([*lines, one % 3, "what follows is not read"])})
    with pytest.raises(InputError, match=rf"{name}, line {len(lines) + 1}: is row 4, .* 3 at most"):
        index_list(tmp_path / name)


@settings(max_examples=60)
@given(
    suffix=st.sampled_from(["csv", "jsonl", "parquet"]),
    at=st.integers(0, 2000),
    change=st.binary(max_size=4),
    cut=st.none() | st.integers(0, 400),
)
def test_any_bytes_are_a_catalog_or_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, at: int, change: bytes, cut: int | None
) -> None:
    folder = tmp_path_factory.getbasetemp()
    file = as_parquet(folder / f"any.{suffix}", ROWS)
    if suffix == "csv":
        file.write_text(as_csv(ROWS), encoding="utf-8")
    elif suffix == "jsonl":
        file.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    data = file.read_bytes()
    at %= len(data)
    file.write_bytes((data[:at] + change + data[at + len(change) :])[:cut])
    found: Catalog | str = ""
    try:
        found = index_list(file, columns=COLUMNS)
    except InputError as error:
        found = str(error)
    assert str(folder) in found if isinstance(found, str) else found.clips
