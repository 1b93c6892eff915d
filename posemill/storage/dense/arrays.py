"""Dense maps as Zarr arrays beside the triplets of their group, written object by object.

::

    shards/<group>/dense/<position>/<kind>/zarr.json      (frame, channel, y, x) float16
    shards/<group>/dense/<position>/<kind>/c/<n>/0/0/0    a shard of its frames

`position` is the video's place in the group. A chunk holds a few frames and a
shard up to 32 MiB of them before compression, which is what a writer has in
memory, five times over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from posemill.storage.commits import FileRecord, record_bytes
from posemill.storage.dense.halves import Float16
from posemill.storage.dense.spool import SpooledMaps
from posemill.storage.objects import Objects
from posemill.storage.pose_records import VideoRecord
from posemill.storage.store_parts import METADATA, group_metadata
from posemill.storage.zarr_draft import ZarrDraft
from posemill.transforms.sample import DenseKind

DENSE = "dense"
CHUNK_BYTES = 2**20
CHUNK_FRAMES = 16
"""At most: a recipe may take a few frames of many."""
SHARD_BYTES = 32 * 2**20

Shape = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class FrameBlocks:
    """How the frames of an array are divided."""

    chunk: int
    """Frames in a chunk."""
    shard: int
    """Frames in a shard object: a multiple of those in a chunk."""


def frame_blocks(shape: Shape) -> FrameBlocks:
    """Of maps (F, C, h, w): chunks of 1 MiB and 16 frames, shards of 32 MiB, one frame at least."""
    frame_bytes = max(2 * prod(shape[1:]), 1)
    chunk = min(max(CHUNK_BYTES // frame_bytes, 1), CHUNK_FRAMES)
    fitting = max(SHARD_BYTES // frame_bytes // chunk, 1) * chunk
    return FrameBlocks(chunk, min(fitting, -(-shape[0] // chunk) * chunk))


def array_name(position: int, kind: DenseKind) -> str:
    """The name in its group of a video's array."""
    return f"{DENSE}/{position}/{kind}"


def is_dense(name: str) -> bool:
    """Whether an object of a group is of its dense maps."""
    return name.startswith(f"{DENSE}/")


def write_dense(group: Objects, records: Sequence[VideoRecord]) -> dict[str, FileRecord]:
    """Write the dense maps of a group's videos; every object that was written, by its name.

    Raises:
        OSError: the disk refuses.
        EnvironmentFault: what was spooled is not there any more, or the store refuses.
    """
    files: dict[str, FileRecord] = {}
    for objects in _objects(records):
        group.write_all(objects)
        files.update({name: record_bytes(data) for name, data in objects.items()})
    return files


def _objects(records: Sequence[VideoRecord]) -> Iterator[dict[str, bytes]]:
    """By name what is written at once."""
    kept = [(position, record) for position, record in enumerate(records) if record.dense]
    if kept:
        yield {f"{DENSE}/{METADATA}": group_metadata({})}
    for position, record in kept:
        attributes = {"video_id": record.video_id}
        yield {f"{DENSE}/{position}/{METADATA}": group_metadata(attributes)}
        for kind, maps in record.dense.items():
            yield from _array_objects(array_name(position, kind), kind, maps)


def _array_objects(name: str, kind: DenseKind, maps: SpooledMaps) -> Iterator[dict[str, bytes]]:
    blocks = frame_blocks(maps.shape)
    for number, block in enumerate(maps.blocks(blocks.shard)):
        yield _encoded(name, kind, maps.shape, number * blocks.shard, block)


def _encoded(
    name: str, kind: DenseKind, shape: Shape, first: int, frames: Float16
) -> dict[str, bytes]:
    """The object that holds a shard of frames, and with the first one the array's metadata."""
    draft, blocks = ZarrDraft(), frame_blocks(shape)
    array = zarr.create_array(
        draft.store,
        name=name,
        shape=shape,
        dtype=np.float16,
        chunks=(blocks.chunk, *shape[1:]),
        shards=(blocks.shard, *shape[1:]),
        # At 160 to 430 MB/s; level 5 takes 7% fewer bytes, and six times as long.
        compressors=[
            BloscCodec(typesize=2, cname="zstd", clevel=1, shuffle="shuffle"),
            Crc32cCodec(),
        ],
        fill_value=0,
        # One dataset may hold all kinds, which differ in their sizes.
        dimension_names=("frame", f"{kind}_channel", f"{kind}_y", f"{kind}_x"),
        config={"write_empty_chunks": True},
    )
    array[first : first + len(frames)] = frames
    files = draft.files()
    metadata = f"{name}/{METADATA}"
    return {key: files[key] for key in files if "/c/" in key or (key == metadata and first == 0)}
