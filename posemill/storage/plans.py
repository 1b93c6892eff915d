"""Numbered, frozen tables: the plans of a store."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from posemill.errors import StoreCorrupted
from posemill.storage.durable import disk_faults
from posemill.storage.objects import Objects
from posemill.storage.parquet_seal import is_sealed, seal_parquet
from posemill.storage.store_parts import names_in

_NAME = re.compile(r"(\d{3,})\.parquet")


@dataclass(frozen=True, slots=True)
class RowsWhere:
    """The rows of a table that have a value in a column."""

    column: str
    value: int

    def may_be_in(self, group: pq.RowGroupMetaData) -> bool:
        """Whether what is known of a row group does not exclude them."""
        columns = (group.column(index) for index in range(group.num_columns))
        known = next(each for each in columns if each.path_in_schema == self.column).statistics
        if known is None or not known.has_min_max:
            return True
        return bool(known.min <= self.value <= known.max)

    def of(self, table: pa.Table) -> pa.Table:
        return table.filter(pc.equal(table[self.column], self.value))


_ROW_GROUP = 16_384
"""Rows that are decoded together: for a shard those around it, not the whole plan."""


def write_numbered(part: Objects, number: int, table: pa.Table) -> bool:
    """Create `NNN.parquet`; False where that number is taken."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=_ROW_GROUP)
    return part.create_if_absent(_name(number), seal_parquet(buffer.getvalue()))


def count_numbered(part: Objects) -> int:
    """How many tables there are: 000, 001 ...; one listing.

    Raises:
        StoreCorrupted: the part of the store or a number is missing.
        EnvironmentFault: it cannot be read.
    """
    numbers = sorted(int(m[1]) for name in names_in(part) if (m := _NAME.fullmatch(name)))
    if numbers != list(range(len(numbers))):
        raise StoreCorrupted(
            f"{part.url}: plans must be numbered 0, 1, ..., got {numbers}. "
            "Restore the missing one from a backup, or make the store again."
        )
    return len(numbers)


def read_numbered(part: Objects) -> list[pa.Table]:
    """The tables 000, 001 ..., in order.

    Raises:
        StoreCorrupted: the part of the store or a number is missing, or a file is damaged.
        EnvironmentFault: one cannot be read.
    """
    names = [_name(number) for number in range(count_numbered(part))]
    with disk_faults(part.url):
        found = part.read_all(names)
    return [_parse(_unsealed(found[name], f"{part.url}/{name}")) for name in names]


class NumberedTables:
    """The tables of a part to look into again and again: each is read once, as it is frozen.

    What is kept is a table's file, which takes far less memory than its rows, and the rows
    that were decoded last: the next ones are often among them.
    """

    def __init__(self, part: Objects) -> None:
        self._part = part
        self._files: list[_File] = []

    def find(self, rows: RowsWhere) -> pa.Table | None:
        """These rows, of the first table that has any; None of none.

        Raises:
            StoreCorrupted: the part of the store or a number is missing, or a file is damaged.
            EnvironmentFault: one cannot be read.
        """
        for file in self._files:
            if (table := file.find(rows)).num_rows:
                return table
        for number in range(len(self._files), count_numbered(self._part)):
            self._files.append(_File(self._read(_name(number))))
            if (table := self._files[-1].find(rows)).num_rows:
                return table
        return None

    def _read(self, name: str) -> bytes:
        place = f"{self._part.url}/{name}"
        with disk_faults(place):
            return _unsealed(self._part.read(name), place)


def _name(number: int) -> str:
    return f"{number:03d}.parquet"


def _unsealed(data: bytes, place: str) -> bytes:
    """The same bytes, which are as they were written.

    Raises:
        StoreCorrupted: they are not.
    """
    if not is_sealed(data):
        raise StoreCorrupted(
            f"{place}: the plan was altered or cut short ({len(data)} bytes that do not match "
            "their own sha256). Restore it from a backup, or make the store again."
        )
    return data


# `pyarrow.parquet.read_table` reads in threads of its own that may outlive it: one that gives a
# buffer of Python's back while the interpreter ends aborts the process.


def _parse(data: bytes) -> pa.Table:
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        return file.read(use_threads=False)


class _File:
    """A table's file in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._metadata = pq.read_metadata(pa.BufferReader(data))
        self._decoded: tuple[list[int], pa.Table] | None = None

    def find(self, rows: RowsWhere) -> pa.Table:
        """These rows, none where it has none."""
        groups = map(self._metadata.row_group, range(self._metadata.num_row_groups))
        chosen = [number for number, group in enumerate(groups) if rows.may_be_in(group)]
        decoded = self._decoded
        if decoded is None or decoded[0] != chosen:
            self._decoded = decoded = chosen, self._read(chosen)
        return rows.of(decoded[1])

    def _read(self, groups: list[int]) -> pa.Table:
        with pq.ParquetFile(pa.BufferReader(self._data), metadata=self._metadata) as file:
            return file.read_row_groups(groups, use_threads=False)
