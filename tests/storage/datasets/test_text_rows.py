"""Tables of text: how they may be written, and what is wrong with bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.storage.datasets.text_rows import MAX_LINE_BYTES, Row, read_lines, read_table

HEAD = ("id", "label")


def rows(path: Path, content: bytes, **options: Any) -> list[tuple[int, dict[str, str]]]:
    path.write_bytes(content)
    return [(row.line, dict(row.values)) for row in read_table(path, HEAD, ("end",), **options)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_however_a_table_is_written(tmp_path: Path, end: str, delimiter: str, codec: str) -> None:
    table = [["label", "more", "id"], ["Händewaschen", "x y", "a/1"], [], [" go ", "", "b"]]
    text = end.join(delimiter.join(line) for line in table)
    assert rows(tmp_path / "x.csv", text.encode(codec)) == [
        (2, {"label": "Händewaschen", "more": "x y", "id": "a/1", "end": ""}),
        (4, {"label": "go", "more": "", "id": "b", "end": ""}),
    ]


def test_latin_1_is_read_when_told_and_named_when_not(tmp_path: Path) -> None:
    content = "id,label\na,b\nc,Müll\n".encode("latin-1")
    assert rows(tmp_path / "x", content, encoding="latin-1")[1][1]["label"] == "Müll"
    with pytest.raises(InputError, match=r"x, line 3: character 4 is not utf-8 text; .*latin-1"):
        rows(tmp_path / "x", content)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", r"line 1: the column 'id', 'label' is missing; .*\(the file is empty\)"),
        (b"\n\nid,labels\na,b\n", "line 3: the column 'label' is missing; the columns are 'id', "),
        (b"id,label,id\n", "line 1: the column 'id' is there twice"),
        (b'id,label\n"a,b\n', "line 2: unexpected end of data"),
        (b"id,label\na,b\nc\n", "line 3: has 1 values; expected 2: id,label"),
        (b"id,label\n" + b"x" * MAX_LINE_BYTES, "line 2: has more than 1,048,576 characters"),
        ("id,label\na,b".encode("utf-16")[:-1], "line 2: .*truncated data"),
    ],
)
def test_what_is_no_table_is_named_by_its_line(tmp_path: Path, content: bytes, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        rows(tmp_path / "x.csv", content)


def test_columns_without_a_header_of_which_the_last_may_be_left_out(tmp_path: Path) -> None:
    header = ("id", "label", "end")
    assert rows(tmp_path / "x", b"a,b\nc,d,2\n", header=header) == [
        (1, {"id": "a", "label": "b", "end": ""}),
        (2, {"id": "c", "label": "d", "end": "2"}),
    ]
    with pytest.raises(InputError, match="line 1: has 4 values; expected 3"):
        rows(tmp_path / "x", b"a,b,2,3\n", header=header)


@pytest.mark.parametrize("text", ["--1", "", "1.0", "\u0661", "9" * 5000, "8", "-1"])
def test_what_is_no_whole_number_in_range_is_refused(text: str) -> None:
    assert Row(Path("x"), 7, {"n": "-0"}).whole("n", 0, 7) == 0
    with pytest.raises(InputError, match="x, line 7: expected a whole number from 0 to 7 as n"):
        Row(Path("x"), 7, {"n": text}).whole("n", 0, 7)


def test_lines_without_the_blank_ones(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbfa\r\n \r\n b ")
    assert list(read_lines(tmp_path / "x")) == [(1, "a"), (3, "b")]


@given(rest=st.binary(max_size=200))
def test_any_bytes_are_rows_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    found, told = list[tuple[int, dict[str, str]]](), f"{path}, line 1"
    try:
        found = rows(path, b"id,label\n" + rest)
    except InputError as error:
        told = str(error)
    assert told.startswith(f"{path}, line ")
    assert all(row.keys() == {"id", "label", "end"} for _, row in found)
