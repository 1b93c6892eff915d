"""The seal of a Parquet file: no reader minds it, and no flipped bit passes it."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from posemill.storage.parquet_seal import is_sealed, seal_parquet


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return pa.table({"id": [f"video {i}" for i in range(40)], "cost": list(range(40))})


@pytest.fixture(scope="module")
def plain(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=16)
    return buffer.getvalue()


def test_a_sealed_file_reads_as_before(table: pa.Table, plain: bytes) -> None:
    sealed = seal_parquet(plain)
    assert is_sealed(sealed)
    assert pq.read_table(pa.BufferReader(sealed)).equals(table)


def test_no_flipped_bit_passes(plain: bytes) -> None:
    sealed = seal_parquet(plain)
    for place in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[place] ^= 1 << place % 8
        assert not is_sealed(bytes(flipped)), place


@pytest.mark.parametrize("kept", [0, 3, 8, 40, -1])
def test_no_cut_file_passes(plain: bytes, kept: int) -> None:
    assert not is_sealed(seal_parquet(plain)[:kept])


def test_a_file_without_a_seal_does_not_pass(plain: bytes) -> None:
    assert not is_sealed(plain)
