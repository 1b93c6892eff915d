"""Reads single rows out of a shard object, past Zarr's own machinery.

A row is a chunk of its own. The object ends with an index, a pair (offset,
bytes) for each row, and a CRC-32C, as in Zarr's sharding codec (zarr-specs, codec
`sharding_indexed`); the chunk is one zstd frame with a checksum.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
from numcodecs import zstd  # type: ignore[import-untyped]

from posemill.errors import StoreCorrupted

_PAIR_BYTES = 16
_NO_CHUNK = np.iinfo(np.uint64).max


def read_shard_rows(
    path: Path, places: Sequence[int], out: npt.NDArray[Any], clips_per_shard: int
) -> None:
    """Read the rows at `places` of a shard object of `clips_per_shard` rows into `out`.

    `out` is C-contiguous and little-endian.

    Raises:
        FileNotFoundError: there is no such object.
        StoreCorrupted: its bytes do not match their checksums.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        index = _read_index(descriptor, path, clips_per_shard)
        for number, place in enumerate(places):
            _read_chunk(descriptor, path, index[place], out[number : number + 1])
    finally:
        os.close(descriptor)


def _read_index(descriptor: int, path: Path, clips_per_shard: int) -> npt.NDArray[np.uint64]:
    num_bytes = os.fstat(descriptor).st_size
    index_bytes = clips_per_shard * _PAIR_BYTES
    trailer = os.pread(descriptor, index_bytes + 4, max(0, num_bytes - index_bytes - 4))
    content, checksum = trailer[:index_bytes], trailer[index_bytes:]
    if len(content) != index_bytes or google_crc32c.value(content) != int.from_bytes(
        checksum, "little"
    ):
        raise _damaged(path, f"the index of its {num_bytes} bytes does not match its checksum")
    return np.frombuffer(content, "<u8").reshape(clips_per_shard, 2)


def _read_chunk(
    descriptor: int, path: Path, where: npt.NDArray[np.uint64], row: npt.NDArray[Any]
) -> None:
    offset, num_bytes = where.tolist()
    if offset == _NO_CHUNK:
        raise _damaged(path, "a row is not in it")
    try:
        content = np.frombuffer(zstd.decompress(os.pread(descriptor, num_bytes, offset)), row.dtype)
        row[...] = content.reshape(row.shape)
    except (RuntimeError, ValueError) as error:
        raise _damaged(path, f"a row cannot be decompressed: {error}") from error


def _damaged(path: Path, found: str) -> StoreCorrupted:
    return StoreCorrupted(
        f"{path}: {found}. Restore it from a backup, or remove the feature store and materialize "
        "the features again."
    )
