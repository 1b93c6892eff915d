"""Numbered, frozen tables: the plans of a store."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from posemill.errors import StoreCorrupted
from posemill.storage.commits import create_if_absent
from posemill.storage.durable import disk_faults, names_in

_NAME = re.compile(r"(\d{3,})\.parquet")


_ROW_GROUP = 16_384
"""Rows that are read together: a worker reads those around its shard, not the whole plan."""


def write_numbered(folder: Path, number: int, table: pa.Table) -> bool:
    """Create `NNN.parquet`; False where that number is taken."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=_ROW_GROUP, write_page_checksum=True)
    return create_if_absent(folder / f"{number:03d}.parquet", buffer.getvalue())


def read_numbered(
    folder: Path, filters: Sequence[tuple[str, str, Any]] | None = None
) -> list[pa.Table]:
    """The tables 000, 001 ..., in order; with `filters` their rows for which those hold.

    Raises:
        StoreCorrupted: the folder or a number is missing, or a file is damaged.
        EnvironmentFault: the folder or a file cannot be read.
    """
    numbers = sorted(int(m[1]) for name in names_in(folder) if (m := _NAME.fullmatch(name)))
    if numbers != list(range(len(numbers))):
        raise StoreCorrupted(
            f"{folder}: plans must be numbered 0, 1, ..., got {numbers}. "
            "Restore the missing one from a backup, or make the store again."
        )
    return [_read(folder / f"{number:03d}.parquet", filters) for number in numbers]


def _read(path: Path, filters: Sequence[tuple[str, str, Any]] | None) -> pa.Table:
    with disk_faults(path):
        data = path.read_bytes()
    try:
        return pq.read_table(
            pa.BufferReader(data), filters=filters, page_checksum_verification=True
        )
    except (OSError, pa.ArrowException) as error:  # pyarrow tells a wrong checksum by an OSError
        raise StoreCorrupted(
            f"{path}: not a readable plan ({error}). Restore it from a backup, or make the "
            "store again."
        ) from error
