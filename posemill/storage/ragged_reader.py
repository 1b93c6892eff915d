"""Reads the arrays of a pose group past Zarr's own machinery, which costs more than they do.

The layout is fixed by the store's schema version (`layout.write_ragged`): one object
an array, of one chunk, or of chunks of `ROWS_PER_CHUNK` rows and an index at its end;
a chunk is a blosc frame closed by a CRC-32C. Only the chunks that are asked for are read,
and of every byte that is used the checksum is compared first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from numcodecs.blosc import decompress  # type: ignore[import-untyped]

from posemill.errors import StoreCorrupted
from posemill.storage.layout import ROWS_PER_CHUNK, RaggedArray
from posemill.storage.objects import Objects
from posemill.storage.shard_index import checked, index_bytes, parse_index

Rows = npt.NDArray[Any]

_TAIL_BYTES = 65536  # read at once with the index: of a small object that is all of it


def object_name(spec: RaggedArray) -> str:
    """The name of an array's one object in its group."""
    return f"{spec.name}/c{'/0' * len(spec.dims)}"


def read_arrays(objects: Objects, shapes: dict[RaggedArray, tuple[int, ...]]) -> dict[str, Rows]:
    """All of the arrays of these shapes, by their names.

    Raises:
        StoreCorrupted: an object is missing, or its bytes are not what was written.
    """
    held = {spec: object_name(spec) for spec, shape in shapes.items() if shape[0]}
    with as_corruption(objects.url):
        data = objects.read_all(held.values())
    arrays = {}
    for spec, shape in shapes.items():
        with as_corruption(f"{objects.url}/{object_name(spec)}"):
            arrays[spec.name] = _decode_array(data.get(object_name(spec), b""), spec, shape)
    return arrays


class RowReader:
    """Reads rows of one array of a group; keeps its index, and its bytes where they are few."""

    def __init__(self, objects: Objects, spec: RaggedArray, shape: tuple[int, ...]) -> None:
        """`shape` is the array's, with its number of rows first."""
        self._objects = objects
        self._spec = spec
        self._shape = shape
        self._name = object_name(spec)
        self._index: list[list[int]] = []
        self._tail = b""

    def read(self, start: int, stop: int) -> Rows:
        """The rows `[start, stop)`.

        Raises:
            StoreCorrupted: the object is missing, or its bytes are not what was written.
        """
        if start == stop:
            return np.empty((0, *self._shape[1:]), self._spec.dtype)
        first, last = start // ROWS_PER_CHUNK, (stop - 1) // ROWS_PER_CHUNK
        with as_corruption(f"{self._objects.url}/{self._name}"):
            if not self._index:
                self._open()
            rows = _decode_chunks(self._chunks(first, last + 1), self._spec, self._shape)
        offset = first * ROWS_PER_CHUNK
        return rows[start - offset : stop - offset]

    def _open(self) -> None:
        num_chunks = _num_chunks(self._shape[0])
        num_bytes = max(_TAIL_BYTES, index_bytes(num_chunks))
        tail = self._objects.read_range(self._name, -num_bytes, num_bytes)
        self._index = parse_index(tail, num_chunks).tolist()
        end = max(start + length for start, length in self._index)
        if end + index_bytes(num_chunks) <= len(tail):
            self._tail = tail

    def _chunks(self, first: int, stop: int) -> list[bytes]:
        places = [(start, length) for start, length in self._index[first:stop]]
        if self._tail:
            return [self._tail[start : start + length] for start, length in places]
        return self._objects.read_ranges(self._name, places)


@contextmanager
def as_corruption(place: str) -> Iterator[None]:
    """Damaged bytes are reported by errors of several types.

    Raises:
        StoreCorrupted: in place of any of them.
    """
    try:
        yield
    except (FileNotFoundError, ValueError, RuntimeError, LookupError, TypeError) as error:
        raise StoreCorrupted(
            f"{place}: cannot be read as it was committed ({error}). "
            "Run `posemill verify --repair` on the store, then extract again."
        ) from error


def _num_chunks(num_rows: int) -> int:
    return -(-num_rows // ROWS_PER_CHUNK)


def _decode_array(data: bytes, spec: RaggedArray, shape: tuple[int, ...]) -> Rows:
    out = np.empty(shape, spec.dtype)
    if not out.size:
        return out
    if not spec.chunked:
        decode_chunk(data, out)
        return out
    index = parse_index(data, _num_chunks(shape[0])).tolist()
    parts = [data[start : start + length] for start, length in index]
    return _decode_chunks(parts, spec, shape)[: shape[0]]


def _decode_chunks(parts: Sequence[bytes], spec: RaggedArray, shape: tuple[int, ...]) -> Rows:
    out = np.empty((len(parts) * ROWS_PER_CHUNK, *shape[1:]), spec.dtype)
    for number, part in enumerate(parts):
        decode_chunk(part, out[number * ROWS_PER_CHUNK : (number + 1) * ROWS_PER_CHUNK])
    return out


def decode_chunk(chunk: bytes, out: Rows) -> None:
    """Fill `out`, C-contiguous and little-endian, by a chunk of exactly its size.

    Raises:
        ValueError, RuntimeError: its bytes are not what was written.
    """
    content = checked(chunk)
    held = int.from_bytes(content[4:8], "little")  # blosc's header: bytes when decompressed
    if held != out.nbytes:
        raise ValueError(f"a chunk of {held} bytes, expected {out.nbytes}")
    decompress(content, out)
