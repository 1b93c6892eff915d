"""The rows of a list of videos, in whatever file it is: text, CSV, JSON lines or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from posemill.errors import InputError
from posemill.storage.datasets.json_file import parse_json
from posemill.storage.datasets.list_columns import ListColumns
from posemill.storage.datasets.text_rows import read_lines, read_table

MAX_ROWS = 2_000_000
"""Of a list, all of which is in memory: up to 2.3 GB for a million rows (measured). The largest
data sets have a third of this."""
_TABLES = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_PARQUET = (".parquet", ".pq")
_BATCH = 16_384  # rows


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row, its texts by our names; a column that is not there is empty."""

    file: Path
    number: int
    """Of the line, or of the row where the file has no lines; from 1."""
    texts: Mapping[str, str]
    labels: tuple[str, ...]
    splits: Mapping[str, str]
    """Subset by split, of those splits in which it is in one."""

    def refuse(self, fault: object) -> NoReturn:
        """Raises:
        InputError: naming file and line.
        """
        noun = row_noun(self.file)
        raise InputError(f"{self.file}, {noun} {self.number}: {fault}. Correct the {noun}.")


def read_rows(file: Path, columns: ListColumns) -> Iterator[ListRow]:
    """The rows that are not empty, in order; `MAX_ROWS` at most.

    A `.csv` or `.tsv` file is a table of text, a `.jsonl` or `.ndjson` one has an object in each
    line, `.parquet` and `.pq` are Parquet. Any other is a text with a place in each line, in
    which empty lines and those that begin with `#` count for nothing.

    Raises:
        InputError: what is wrong, named by file and line, or too many rows.
        OSError: the file cannot be read.
    """
    suffix = file.suffix.lower()
    if suffix in _TABLES:
        rows = _table_rows(file, columns, _TABLES[suffix])
    elif suffix in _JSON_LINES:
        rows = _json_rows(file, columns)
    elif suffix in _PARQUET:
        rows = _parquet_rows(file, columns)
    else:
        rows = _lines(file, columns)
    for count, (number, values) in enumerate(rows, 1):
        if count > MAX_ROWS:
            raise InputError(
                f"{file}, {row_noun(file)} {number}: is row {count:,}, and a list has "
                f"{MAX_ROWS:,} at most, which are all in memory. Make several lists of it, and a "
                "catalog of each."
            )
        yield _row(file, number, values, columns)


def row_noun(file: Path) -> str:
    """What the rows of a list are called where they are counted."""
    return "row" if file.suffix.lower() in _PARQUET else "line"


def _lines(file: Path, columns: ListColumns) -> Iterator[tuple[int, dict[str, object]]]:
    if columns.given:
        raise InputError(
            f"{file}: a list without columns has none to choose by --column. Give a .csv, .tsv, "
            ".jsonl or .parquet file."
        )
    for number, text in read_lines(file, columns.encoding):
        if not text.startswith("#"):
            yield number, {"path": text}


def _table_rows(
    file: Path, columns: ListColumns, delimiter: str
) -> Iterator[tuple[int, Mapping[str, object]]]:
    required = columns.required()
    is_first = True
    for row in read_table(
        file,
        required,
        encoding=columns.encoding,
        delimiter=delimiter,
        remedy="Correct the header, or say which columns are meant with --column OURS=THEIRS.",
    ):
        if is_first:
            _require_known(file, list(row.values), columns)
            is_first = False
        yield row.line, row.values


def _json_rows(file: Path, columns: ListColumns) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, text in read_lines(file, columns.encoding):
        found = parse_json(text, file, number)
        if not isinstance(found, dict):
            raise InputError(
                f"{file}, line {number}: is {text[:40]!r}; expected a JSON object. Correct it."
            )
        _require_known(f"{file}, line {number}", list(found), columns)
        if missing := [name for name in columns.required() if name not in found]:
            raise InputError(
                f"{file}, line {number}: has no {', '.join(map(repr, missing))}, only "
                f"{', '.join(map(repr, found)) or 'nothing'}. Correct the line, or say which "
                "columns are meant with --column OURS=THEIRS."
            )
        yield number, found


def _parquet_rows(file: Path, columns: ListColumns) -> Iterator[tuple[int, Mapping[str, object]]]:
    file.open("rb").close()  # what the disk refuses, apart from what is in the file
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as table:
            names = table.schema_arrow.names
            _require_known(file, names, columns)
            _require_once(file, names, columns)
            wanted = [name for name in dict.fromkeys(columns.theirs().values()) if name in names]
            number = 0
            for batch in table.iter_batches(_BATCH, columns=wanted):
                for values in batch.to_pylist():
                    number += 1
                    yield number, values
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{file}: is not readable as Parquet: {error}. Write it again, or give a .csv file."
        ) from error


def _require_once(file: Path, names: list[str], columns: ListColumns) -> None:
    for name in columns.required():
        if names.count(name) != 1:
            raise InputError(
                f"{file}: the column {name!r} is there {names.count(name)} times; the columns are "
                f"{', '.join(map(repr, names))}. Say which are meant with --column OURS=THEIRS."
            )


def _require_known(place: object, names: list[str], columns: ListColumns) -> None:
    if unknown := columns.unknown(names):
        raise InputError(
            f"{place}: the columns are {', '.join(map(repr, names))}; expected 'path' and any of "
            f"{', '.join(columns.theirs())}. Remove {', '.join(map(repr, unknown))}, or choose "
            "columns with --column OURS=THEIRS, which passes the others over."
        )


def _row(file: Path, number: int, values: Mapping[str, object], columns: ListColumns) -> ListRow:
    cells = {ours: values.get(theirs) for ours, theirs in columns.theirs().items()}
    labels = cells.pop("label", None)
    try:
        texts = {ours: _text(ours, cell) for ours, cell in cells.items()}
        names = _labels(labels, columns.label_separator)
    except ValueError as error:
        ListRow(file, number, {}, (), {}).refuse(error)
    splits = {split: texts[ours] for split, ours in columns.splits() if texts.get(ours)}
    return ListRow(file, number, texts, names, splits)


def _labels(cell: object, separator: str) -> tuple[str, ...]:
    """Each once, in order."""
    if isinstance(cell, list):
        names = [_text("label", each) for each in cell]
    else:
        text = _text("label", cell)
        names = [each.strip() for each in text.split(separator)] if separator else [text]
    return tuple(dict.fromkeys(filter(None, names)))


def _text(ours: str, cell: object) -> str:
    """Raises:
    ValueError: neither text nor a number, nor nothing.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise ValueError(f"expected text or a number as {ours}, got {str(cell)[:40]}")
    return str(cell).strip()
