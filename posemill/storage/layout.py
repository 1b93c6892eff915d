"""Names, dimensions, chunks and codecs of what the stores hold, and their versions.

A pose store keeps one ragged group per shard of V videos with P person-frames
(rows), F frames and K joints. An unknown array is ignored by a reader and an
optional one may be missing; a new required one raises the schema's version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from posemill.schema import VideoStatus

POSES_KIND = "posemill-poses"
POSES_SCHEMA_VERSION = 2  # 2: triplets as steps along the tracks (track_steps.py)
FEATURES_KIND = "posemill-features"
FEATURES_SCHEMA_VERSION = 2  # 2: a seal in the plans (parquet_seal.py)

ROWS_PER_CHUNK = 1024  # about what one clip has: more would be decompressed for nothing
CLIPS_PER_SHARD = 64  # at most; fewer where a job's pose shards are smaller
INDEX_ROWS_PER_CHUNK = 16384  # of what the driver alone writes: few files for many clips

STATUS_CODES = tuple(VideoStatus)
"""The number of a status in the array `status` is its place here."""


@dataclass(frozen=True, slots=True)
class RaggedArray:
    """One array of a pose shard's group."""

    name: str
    dims: tuple[str, ...]
    dtype: str
    chunked: bool
    """In chunks of `ROWS_PER_CHUNK` rows within one shard object; else one chunk."""


TRIPLETS = RaggedArray("triplets", ("row", "keypoint", "component"), "uint16", chunked=True)
FRAME = RaggedArray("frame", ("row",), "uint32", chunked=True)
SLOT = RaggedArray("slot", ("row",), "uint16", chunked=True)
PTS_US = RaggedArray("pts_us", ("frame",), "int64", chunked=True)
VIDEO_PTR = RaggedArray("video_ptr", ("boundary",), "int64", chunked=False)
FRAME_PTR = RaggedArray("frame_ptr", ("boundary",), "int64", chunked=False)
SIZE_WH = RaggedArray("size_wh", ("video", "axis"), "uint32", chunked=False)
SCALE = RaggedArray("scale", ("video",), "float64", chunked=False)
OFFSET = RaggedArray("offset", ("video",), "float64", chunked=False)
FRAMES_DECLARED = RaggedArray("frames_declared", ("video",), "int64", chunked=False)
STATUS = RaggedArray("status", ("video",), "uint8", chunked=False)

XYZ_M = RaggedArray("xyz_m", ("row", "keypoint", "space"), "float32", chunked=True)
HAS_XYZ_M = RaggedArray("has_xyz_m", ("video",), "bool", chunked=False)

POSE_ARRAYS = (
    *(TRIPLETS, FRAME, SLOT, PTS_US, VIDEO_PTR, FRAME_PTR),
    *(SIZE_WH, SCALE, OFFSET, FRAMES_DECLARED, STATUS),
)
POSE_3D_ARRAYS = (XYZ_M, HAS_XYZ_M)
"""Optional, both or neither: a group of videos without 3-D positions has none."""


def write_ragged(group: zarr.Group, spec: RaggedArray, data: npt.NDArray[Any]) -> None:
    """Create an array of a pose shard and write it by one call."""
    values = np.ascontiguousarray(data, dtype=spec.dtype)
    item_bytes = values.dtype.itemsize
    blosc = BloscCodec(typesize=item_bytes, cname="zstd", clevel=7, shuffle="shuffle")
    rows = ROWS_PER_CHUNK if spec.chunked else max(1, len(values))
    rounded = -(-max(1, len(values)) // rows) * rows
    array = group.create_array(
        spec.name,
        shape=values.shape,
        dtype=values.dtype,
        chunks=(rows, *values.shape[1:]),
        shards=(rounded, *values.shape[1:]) if spec.chunked else None,
        compressors=[blosc, Crc32cCodec()],
        fill_value=0,
        dimension_names=spec.dims,
        # Every chunk is there, so that a file that is not there is a loss.
        config={"write_empty_chunks": True},
    )
    if values.size:
        array[...] = values


def feature_codecs() -> list[ZstdCodec]:
    """Fast to read; the checksum finds every flipped bit."""
    return [ZstdCodec(level=1, checksum=True)]
