"""Reads dense maps of a pose store: a few frames of a video's, each chunk after its checksum.

Past Zarr's machinery, as `ragged_reader` does for the poses: a missing object
is an error here, not zeros.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, get_args

import numpy as np

from posemill.errors import InputError
from posemill.schema import Int64
from posemill.storage.commits import FileRecord, record_bytes
from posemill.storage.dense.arrays import FrameBlocks, array_name
from posemill.storage.dense.halves import Float16
from posemill.storage.objects import Objects
from posemill.storage.ragged_reader import as_corruption, decode_chunk
from posemill.storage.shard_index import index_bytes, parse_index
from posemill.storage.store_parts import METADATA
from posemill.transforms.sample import DenseKind, DenseMaps

_OPEN_ARRAYS = 16
_OPEN_SHARDS = 4


class DenseGroup:
    """The dense maps of a group's videos."""

    def __init__(self, objects: Objects, files: Mapping[str, FileRecord]) -> None:
        """`files` are those that a commit lists of the group."""
        self._objects, self._files = objects, files
        self._array = lru_cache(maxsize=_OPEN_ARRAYS)(self._open)

    def kinds(self, position: int) -> tuple[DenseKind, ...]:
        """Of which there are maps of the video at `position`."""
        kinds: tuple[DenseKind, ...] = get_args(DenseKind)
        return tuple(k for k in kinds if f"{array_name(position, k)}/{METADATA}" in self._files)

    def read(
        self, position: int, kinds: Collection[DenseKind] | None, frames: Int64 | None
    ) -> DenseMaps:
        """The maps of the video at `position`, to be read when they are indexed.

        Raises:
            InputError: there are none of a kind that is asked for, or none at all.
            ValueError: frames that do not rise, or that the video has not.
            StoreCorrupted: an object is missing or damaged.
        """
        held = self.kinds(position)
        if not held or (kinds is not None and set(kinds) - set(held)):
            wanted = ", ".join(sorted(kinds)) if kinds else "maps"
            raise InputError(
                f"{self._objects.url}: no dense {wanted} of video {position} were kept, but "
                f"{', '.join(held) or 'none'}; extract into a new store with --keep"
            )
        chosen = [kind for kind in held if kinds is None or kind in kinds]
        maps = {kind: StoredMaps(self._array(position, kind), frames) for kind in chosen}
        return DenseMaps(next(iter(maps.values())).frames, **maps)

    def _open(self, position: int, kind: DenseKind) -> DenseArray:
        name = array_name(position, kind)
        metadata = f"{name}/{METADATA}"
        with as_corruption(f"{self._objects.url}/{metadata}"):
            data = self._objects.read(metadata)
            if record_bytes(data) != self._files[metadata]:
                raise ValueError(f"{len(data)} bytes do not match their checksum")
        return DenseArray(self._objects.at(*name.split("/")), json.loads(data))


class DenseArray:
    """The maps of one kind and all frames of a video, as `arrays` writes them."""

    def __init__(self, objects: Objects, metadata: Mapping[str, Any]) -> None:
        self._objects = objects
        self.shape: tuple[int, ...] = tuple(metadata["shape"])
        shard = metadata["chunk_grid"]["configuration"]["chunk_shape"][0]
        chunk = metadata["codecs"][0]["configuration"]["chunk_shape"][0]
        self._blocks = FrameBlocks(chunk, shard)
        self._index = lru_cache(maxsize=_OPEN_SHARDS)(self._read_index)

    def read(self, frames: Int64) -> Float16:
        """The maps (N, C, h, w) of frames, in any order.

        Raises:
            StoreCorrupted: an object is missing, or its bytes are not what was written.
        """
        out = np.empty((len(frames), *self.shape[1:]), np.float16)
        shards = frames // self._blocks.shard
        for shard in np.unique(shards).tolist():
            rows = np.flatnonzero(shards == shard)
            self._read_shard(shard, frames[rows] - shard * self._blocks.shard, rows, out)
        return out

    def _read_shard(self, shard: int, places: Int64, rows: Int64, out: Float16) -> None:
        """Read frames, by their places in a shard, into rows of `out`."""
        name, size = _object_name(shard), self._blocks.chunk
        chunks = np.unique(places // size).tolist()
        with as_corruption(f"{self._objects.url}/{name}"):
            index = self._index(shard)
            parts = self._objects.read_ranges(name, [index[chunk] for chunk in chunks])
            decoded = np.empty((size, *self.shape[1:]), np.float16)
            for chunk, part in zip(chunks, parts, strict=True):
                decode_chunk(part, decoded)
                here = places // size == chunk
                out[rows[here]] = decoded[places[here] - chunk * size]

    def _read_index(self, shard: int) -> list[tuple[int, int]]:
        """Offset and bytes of each chunk of a shard."""
        per_shard = self._blocks.shard // self._blocks.chunk
        frames_left = self.shape[0] - shard * self._blocks.shard
        num_chunks = min(per_shard, -(-frames_left // self._blocks.chunk))
        num_bytes = index_bytes(per_shard)
        tail = self._objects.read_range(_object_name(shard), -num_bytes, num_bytes)
        return [
            (start, length) for start, length in parse_index(tail, per_shard, num_chunks).tolist()
        ]


class StoredMaps:
    """Some frames (D, C, h, w) of an array; satisfies `sample.FrameMaps`, read when indexed.

    Raises:
        ValueError: frames that do not rise, or that the array has not.
    """

    ndim = 4

    def __init__(self, array: DenseArray, frames: Int64 | None) -> None:
        count = array.shape[0]
        self._array = array
        self.frames = np.arange(count) if frames is None else np.asarray(frames, np.int64)
        rising = not np.any(np.diff(self.frames) <= 0)
        if not rising or (self.frames.size and not 0 <= self.frames[0] <= self.frames[-1] < count):
            raise ValueError(
                f"frames must rise within 0..{count - 1}, got {self.frames.tolist()[:9]}"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.frames), *self._array.shape[1:])

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: slice | Int64) -> Float16:
        return self._array.read(self.frames[rows])


def _object_name(shard: int) -> str:
    return f"c/{shard}/0/0/0"
