"""Reads single rows out of a shard object, past Zarr's own machinery.

A row is a chunk of its own. The object ends with an index, a pair (offset,
bytes) for each row, and a CRC-32C, as in Zarr's sharding codec (zarr-specs, codec
`sharding_indexed`); the chunk is one zstd frame with a checksum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
from numcodecs import zstd  # type: ignore[import-untyped]

from posemill.errors import StoreCorrupted
from posemill.storage.objects import Objects
from posemill.storage.shard_index import index_bytes, parse_index


def read_shard_rows(
    objects: Objects,
    name: str,
    places: Sequence[int],
    out: npt.NDArray[Any],
    clips_per_shard: int,
) -> None:
    """Read the rows at `places` of a shard object of `clips_per_shard` rows into `out`.

    `out` is C-contiguous and little-endian.

    Raises:
        FileNotFoundError: there is no such object.
        StoreCorrupted: its bytes do not match their checksums.
        EnvironmentFault: the object store cannot be reached or refuses.
    """
    place = f"{objects.url}/{name}"
    num_bytes = index_bytes(clips_per_shard)
    tail = objects.read_range(name, -num_bytes, num_bytes)
    try:
        index = parse_index(tail, clips_per_shard)
    except ValueError as error:
        raise _damaged(place, f"its index cannot be read: {error}") from error
    ranges = [(start, length) for start, length in index[list(places)].tolist()]
    for number, chunk in enumerate(objects.read_ranges(name, ranges)):
        _decode(chunk, place, out[number : number + 1])


def _decode(chunk: bytes, place: str, row: npt.NDArray[Any]) -> None:
    """Straight into `row`: memory for a copy of it may cost ten times what decoding does."""
    try:
        if (num_bytes := _content_bytes(chunk)) != row.nbytes:
            raise ValueError(f"its frame holds {num_bytes} bytes, {row.nbytes} are a row")
        zstd.decompress(chunk, row)
    except (RuntimeError, ValueError, IndexError) as error:
        raise _damaged(place, f"a row cannot be decompressed: {error}") from error


def _content_bytes(frame: bytes) -> int:
    """What the header of a zstd frame says of its content (RFC 8878, section 3.1.1.1).

    Raises:
        ValueError: it says nothing.
        IndexError: it ends too early.
    """
    descriptor = frame[4]
    single_segment = descriptor >> 5 & 1
    size_bytes = (single_segment, 2, 4, 8)[descriptor >> 6]
    if not size_bytes:
        raise ValueError("its frame does not say how large it is")
    # Between the two: a byte of the window, unless it is all in one segment, and a dictionary's id.
    start = 6 - single_segment + (0, 1, 2, 4)[descriptor & 3]
    size = int.from_bytes(frame[start : start + size_bytes], "little")
    return size + 256 if size_bytes == 2 else size


def _damaged(place: str, found: str) -> StoreCorrupted:
    return StoreCorrupted(
        f"{place}: {found}. Run `posemill verify --repair` on the store, then materialize again."
    )
