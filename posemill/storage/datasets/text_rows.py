"""Lines and tables of text that somebody else wrote, one row at a time, faults named by line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, TextIO

from posemill.errors import InputError
from posemill.schema import require_id

Encoding = Literal["utf-8", "latin-1", "utf-16"]
DELIMITERS = (",", "\t", ";", "|")
MAX_LINE_BYTES = 1 << 20
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, or one line."""

    path: Path
    line: int
    """In the file, from 1; the last one of a row that has several."""
    values: Mapping[str, str]
    """By column, without blanks at the ends."""

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def refuse(self, fault: str) -> NoReturn:
        """Raises:
        InputError: naming file and line.
        """
        raise InputError(f"{self.path}, line {self.line}: {fault}. Correct the line.")

    def id_of(self, column: str, id_: str) -> str:
        """An id that was made of what is in a column.

        Raises:
            InputError: it is none.
        """
        try:
            require_id(column, id_)
        except ValueError as error:
            self.refuse(str(error))
        return id_

    def number(self, column: str) -> float:
        """A finite number.

        Raises:
            InputError: it is none.
        """
        try:
            value = float(self[column])
        except ValueError:
            value = float("nan")
        if not abs(value) < float("inf"):
            self.refuse(f"expected a number as {column}, got {self[column]!r}")
        return value

    def whole(self, column: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`.

        Raises:
            InputError: it is none.
        """
        text = self[column]
        value = int(text) if _WHOLE.fullmatch(text) else low - 1
        if not low <= value <= high:
            self.refuse(f"expected a whole number from {low} to {high} as {column}, got {text!r}")
        return value


def read_lines(path: Path, encoding: Encoding = "utf-8") -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not blank, without blanks at the ends.

    Raises:
        InputError: text of another encoding, or a line that no text has.
        OSError: the file cannot be read.
    """
    for number, text in enumerate(_decoded(path, encoding), 1):
        if stripped := text.strip():
            yield number, stripped


def read_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    header: Sequence[str] | None = None,
    encoding: Encoding = "utf-8",
    delimiter: str = ",",
    remedy: str = "Correct the header.",
) -> Iterator[Row]:
    """The rows of a table of text, whatever of `DELIMITERS` is between its columns.

    Where its header leaves that open, it is `delimiter`. `remedy` is what to do about a column
    that is missing.

    `header` names the columns of a table without a line that does so; of those that are
    `optional` the last ones may be left out. Columns of other names are passed over; an optional
    one that is not there is empty in every row.

    Raises:
        InputError: a column that is not there or is there twice, a row of another number of
            values, or text of another encoding.
        OSError: the file cannot be read.
    """
    lines = _decoded(path, encoding)
    if header is None:
        columns, delimiter, skipped = _header(path, lines, required, delimiter, remedy)
    else:
        columns, skipped = tuple(header), 0
    absent = dict.fromkeys((name for name in optional if name not in columns), "")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    fewest = len(columns) if header is None else len([*required])
    try:
        for values in reader:
            line = skipped + reader.line_num
            if not any(map(str.strip, values)):
                continue
            if not fewest <= len(values) <= len(columns):
                raise InputError(
                    f"{path}, line {line}: has {len(values)} values; expected {len(columns)}: "
                    f"{delimiter.join(columns)}. Correct the line."
                )
            texts = {name: text.strip() for name, text in zip(columns, values, strict=False)}
            missing = dict.fromkeys(columns[len(values) :], "")
            yield Row(path, line, {**absent, **texts, **missing})
    except csv.Error as error:
        line = skipped + reader.line_num
        raise InputError(f"{path}, line {line}: {error}. Correct the line.") from error


def _header(
    path: Path, lines: Iterator[str], required: Sequence[str], usual: str, remedy: str
) -> tuple[tuple[str, ...], str, int]:
    """Names of the columns, what is between them, and the number of lines that are read."""
    skipped, line = 0, ""
    for line in lines:
        skipped += 1
        if line.strip():
            break
    readings = {mark: _names(line, mark) for mark in (usual, *DELIMITERS)}
    mark = max(readings, key=lambda mark: len(set(required) & set(readings[mark])))
    names = readings[mark]
    missing = [name for name in required if name not in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if missing or twice:
        fault = (
            f"the column {', '.join(map(repr, missing))} is missing"
            if missing
            else f"the column {', '.join(map(repr, twice))} is there twice"
        )
        there = ", ".join(map(repr, names)) if line.strip() else "(the file is empty)"
        raise InputError(
            f"{path}, line {max(skipped, 1)}: {fault}; the columns are {there}. {remedy}"
        )
    return names, mark, skipped


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        (names,) = csv.reader([line.rstrip("\r\n")], delimiter=delimiter)
    except (csv.Error, ValueError):
        return ()
    return tuple(name.strip() for name in names)


def _decoded(path: Path, encoding: Encoding) -> Iterator[str]:
    """The lines, with their ends, without a byte-order mark.

    Raises:
        InputError: of another encoding, or too long for a line.
    """
    with path.open("rb") as file:
        start = file.read(3)
    marked = next((kind for mark, kind in _BOMS.items() if start.startswith(mark)), None)
    codec = {"utf-8": "utf-8-sig"}.get(kind := marked or encoding, kind)
    number = 0
    with path.open(encoding=codec, newline="", errors="surrogateescape") as text:
        while line := _next_line(path, number + 1, text):
            number += 1
            if len(line) == MAX_LINE_BYTES:
                raise InputError(
                    f"{path}, line {number}: has more than {MAX_LINE_BYTES:,} characters; expected "
                    "text with a line for each row. Give another file, or correct its line ends."
                )
            _require_text(path, number, line, kind)
            yield line


def _next_line(path: Path, number: int, text: TextIO) -> str:
    try:
        return text.readline(MAX_LINE_BYTES)
    except UnicodeError as error:  # of UTF-16 alone: else what is no text comes as surrogates
        raise InputError(f"{path}, line {number}: {error}. Save the file as UTF-8.") from error


def _require_text(path: Path, number: int, line: str, encoding: str) -> None:
    if line.isascii():
        return
    place = next((at for at, each in enumerate(line) if "\ud800" <= each <= "\udfff"), None)
    if place is not None:
        raise InputError(
            f"{path}, line {number}: character {place + 1} is not {encoding} text; save the file "
            "as UTF-8, or tell its encoding, latin-1 or utf-16"
        )
