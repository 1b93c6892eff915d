"""Rows read straight out of a shard: of any size, and never of another one than declared."""

from pathlib import Path

import numpy as np
import pytest
from google_crc32c import value as crc32c
from hypothesis import given
from hypothesis import strategies as st
from numcodecs import zstd

from posemill.errors import StoreCorrupted
from posemill.storage.objects import LocalObjects
from posemill.storage.shard_rows import read_shard_rows


def write_shard(folder: Path, chunks: list[bytes]) -> LocalObjects:
    """One object of these chunks and their index, as Zarr's sharding codec lays it out."""
    starts = np.cumsum([0, *map(len, chunks)])[:-1]
    index = np.array([*zip(starts, map(len, chunks), strict=True)], "<u8").tobytes()
    check = np.array(crc32c(index), "<u4").tobytes()
    (folder / "shard").write_bytes(b"".join(chunks) + index + check)
    return LocalObjects(folder)


# The size of the content takes one, two, four or four bytes of a frame's header.
@given(st.sampled_from([1, 255, 256, 511, 65_791, 65_792, 200_000]), st.booleans(), st.booleans())
def test_rows_of_any_size_are_read(
    tmp_path_factory: pytest.TempPathFactory, size: int, noisy: bool, checked: bool
) -> None:
    rng = np.random.default_rng(size)
    rows = rng.integers(0, 256 if noisy else 1, (3, size)).astype(np.uint8)
    chunks = [zstd.Zstd(level=1, checksum=checked).encode(row) for row in rows]
    objects = write_shard(tmp_path_factory.mktemp("rows"), chunks)
    out = np.empty((2, size), np.uint8)
    read_shard_rows(objects, "shard", [2, 0], out, 3)
    np.testing.assert_array_equal(out, rows[[2, 0]])


@pytest.mark.parametrize("size", [0, 99, 101, 5000])
def test_a_row_of_another_size_is_damage(tmp_path: Path, size: int) -> None:
    objects = write_shard(tmp_path, [zstd.compress(bytes(size))])
    with pytest.raises(StoreCorrupted, match=f"holds {size} bytes, 100 are a row"):
        read_shard_rows(objects, "shard", [0], np.empty((1, 100), np.uint8), 1)


@pytest.mark.parametrize("chunk", [b"", b"\x28\xb5\x2f\xfd", bytes(20), b"\x28\xb5\x2f\xfd\x00"])
def test_what_is_no_frame_is_damage(tmp_path: Path, chunk: bytes) -> None:
    objects = write_shard(tmp_path, [chunk])
    with pytest.raises(StoreCorrupted, match="a row cannot be decompressed"):
        read_shard_rows(objects, "shard", [0], np.empty((1, 100), np.uint8), 1)
