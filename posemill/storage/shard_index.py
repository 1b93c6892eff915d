"""The index that ends a shard object: where each chunk lies (zarr-specs, `sharding_indexed`)."""

from __future__ import annotations

import google_crc32c
import numpy as np
import numpy.typing as npt

CHECKSUM_BYTES = 4
_PAIR_BYTES = 16
_NO_CHUNK = np.iinfo(np.uint64).max


def index_bytes(num_chunks: int) -> int:
    """How many bytes at the end of a shard object its index takes."""
    return num_chunks * _PAIR_BYTES + CHECKSUM_BYTES


def parse_index(
    tail: bytes, num_chunks: int, num_written: int | None = None
) -> npt.NDArray[np.uint64]:
    """(chunk, 2) offset and bytes of every chunk; `tail` ends where the object ends.

    Args:
        num_chunks: that a shard has room for.
        num_written: of them, where the array ends in this shard; None for all.

    Raises:
        ValueError: the tail is short, does not match its checksum, or misses a chunk.
    """
    content = checked(tail[-index_bytes(num_chunks) :])
    if len(content) != num_chunks * _PAIR_BYTES:
        raise ValueError(f"its last {len(tail)} bytes cannot index {num_chunks} chunks")
    index = np.frombuffer(content, "<u8").reshape(num_chunks, 2)[:num_written]
    if (index == _NO_CHUNK).any():
        raise ValueError(f"a chunk is not in it: {len(index)} were written")
    return index


def checked(data: bytes) -> bytes:
    """`data` without the CRC-32C that closes it.

    Raises:
        ValueError: it does not match.
    """
    content, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
    if google_crc32c.value(content) != int.from_bytes(checksum, "little"):
        raise ValueError(f"{len(data)} bytes do not match their checksum")
    return content
