"""One Parquet table of person-frames, a row for each person in each frame.

Joints are lists of fixed size, in the order of the skeleton, which is told with its limbs
in the schema's metadata (`posemill`, as JSON). Where some videos have 3-D positions, those of
the others are NaN: Arrow does not read lists of fixed size back that are null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from posemill.schema import Float32, PoseSequence
from posemill.settings import setting
from posemill.storage.exports.base import PoseExport, PoseItem, PoseSource

_METADATA_KEY = b"posemill"
_SPACE = ("x_m", "y_m", "z_m")


@dataclass(frozen=True)
class ParquetExport(PoseExport):
    """One Parquet table of person-frames: video, frame, time, track, joints."""

    name: ClassVar[str] = "parquet"
    makes = "file"

    group_rows: int = setting(
        65536,
        "of a row group at most; there is one for each shard of the store, or several",
        low=1024,
        high=1 << 22,
    )

    @contextmanager
    def begin(self, draft: Path, source: PoseSource) -> Iterator[_Writer]:
        schema = _schema(source)
        with pq.ParquetWriter(
            draft, schema, compression="zstd", write_page_checksum=True
        ) as parquet:
            writer = _Writer(parquet, schema, self.group_rows)
            yield writer
            writer.end_shard()


class _Writer:
    def __init__(self, parquet: pq.ParquetWriter, schema: pa.Schema, group_rows: int) -> None:
        self._parquet, self._schema, self._group_rows = parquet, schema, group_rows
        self._batches: list[pa.RecordBatch] = []

    def add(self, item: PoseItem) -> None:
        batch = _batch(item, self._schema)
        for start in range(0, batch.num_rows, self._group_rows):
            part = batch.slice(start, self._group_rows)
            if self._num_rows + part.num_rows > self._group_rows:
                self.end_shard()
            self._batches.append(part)

    def end_shard(self) -> None:
        if self._batches:
            table = pa.Table.from_batches(self._batches, self._schema)
            self._parquet.write_table(table, row_group_size=self._group_rows)
            self._batches.clear()

    @property
    def _num_rows(self) -> int:
        return sum(batch.num_rows for batch in self._batches)


def _schema(source: PoseSource) -> pa.Schema:
    joints = pa.list_(pa.float32(), source.skeleton.num_keypoints)
    columns = [
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("pts_seconds", pa.float64(), nullable=False),
        pa.field("track", pa.int32(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        *(pa.field(name, joints, nullable=False) for name in ("x", "y", "score")),
        *(pa.field(name, joints, nullable=False) for name in _SPACE if source.has_3d),
    ]
    skeleton = {
        "skeleton": source.skeleton.name,
        "keypoints": source.skeleton.keypoints,
        "limbs": source.skeleton.limbs,
    }
    return pa.schema(columns, metadata={_METADATA_KEY: json.dumps(skeleton).encode()})


def _batch(item: PoseItem, schema: pa.Schema) -> pa.RecordBatch:
    poses = item.poses
    columns: dict[str, Any] = {
        "video_id": pa.array([item.id] * poses.num_rows, pa.string()),
        "frame": poses.frame.astype(np.int32),
        "pts_seconds": poses.pts_seconds[poses.frame],
        "track": poses.slot.astype(np.int32),
        "width": np.full(poses.num_rows, poses.width, np.int32),
        "height": np.full(poses.num_rows, poses.height, np.int32),
        "x": _lists(poses.xy_px[..., 0]),
        "y": _lists(poses.xy_px[..., 1]),
        "score": _lists(poses.score),
    }
    if _SPACE[0] in schema.names:
        columns |= _in_space(poses)
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[name]) for name in schema.names], schema=schema
    )


def _in_space(poses: PoseSequence) -> dict[str, pa.Array]:
    xyz_m = poses.xyz_m
    if xyz_m is None:
        xyz_m = np.full((*poses.score.shape, len(_SPACE)), np.nan, np.float32)
    return {name: _lists(xyz_m[..., axis]) for axis, name in enumerate(_SPACE)}


def _lists(values: Float32) -> pa.Array:
    flat: npt.NDArray[np.float32] = np.ascontiguousarray(values).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), values.shape[1])
