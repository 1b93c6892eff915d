"""One shard's poses as a group of ragged Zarr arrays.

The rows of a video lie by track, then by frame. They are read back in a
`PoseSequence`'s order, by frame and then by slot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import zarr

from posemill.schema import Int64, PoseSequence
from posemill.storage import layout
from posemill.storage.objects import Objects
from posemill.storage.pose_arrays import arrays_of, skeleton_of
from posemill.storage.pose_records import VideoRecord
from posemill.storage.ragged_reader import RowReader, Rows, as_corruption, read_arrays
from posemill.storage.store_parts import METADATA
from posemill.storage.track_steps import decode_steps
from posemill.storage.zarr_draft import ZarrDraft

_SKELETON, _SHAPES = "skeleton", "shapes"
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class WrittenGroup:
    """What `write_group` wrote."""

    row_ptr: Int64
    """The rows of video i are `row_ptr[i] : row_ptr[i + 1]`."""
    files: Mapping[str, bytes]
    """Every object by its name in the group."""


class PoseGroup:
    """Reads a group; what it needs of every video is read once.

    It keeps some 150 KiB of a group of 256 videos: the arrays of one number a
    video, the indices of the others, and objects of up to 64 KiB. `whole` reads
    all arrays at once and keeps them, 108 bytes a person-frame of 17 joints in
    two dimensions: for one pass over all videos.

    Raises, in every method:
        StoreCorrupted: an object is missing, or its bytes are not what was written.
    """

    def __init__(self, objects: Objects, *, whole: bool = False) -> None:
        self._objects = objects
        self._whole = whole

    def row_range(self, position: int) -> tuple[int, int]:
        """The rows of the video at `position`, `[start, stop)`."""
        return self._range(layout.VIDEO_PTR, position)

    def read(self, position: int) -> PoseSequence:
        """The poses of the video at `position`."""
        rows, videos = self.row_range(position), self._videos
        frame = self._rows(layout.FRAME, rows)
        by_frame = np.argsort(frame, kind="stable")
        places = np.empty_like(by_frame)
        places[by_frame] = np.arange(len(places))
        xy_px, score = decode_steps(
            self._rows(layout.TRIPLETS, rows),
            places,
            float(videos[layout.SCALE.name][position]),
            float(videos[layout.OFFSET.name][position]),
        )
        frames = self._range(layout.FRAME_PTR, position)
        width, height = videos[layout.SIZE_WH.name][position].tolist()
        return PoseSequence(
            skeleton=str(self._attributes[_SKELETON]),
            xy_px=xy_px,
            score=score,
            frame=frame[by_frame].astype(np.int64),
            slot=self._rows(layout.SLOT, rows)[by_frame].astype(np.int64),
            pts_seconds=self._rows(layout.PTS_US, frames) / _MICROSECONDS,
            width=width,
            height=height,
            frames_declared=int(videos[layout.FRAMES_DECLARED.name][position]),
            xyz_m=self._rows(layout.XYZ_M, rows)[by_frame] if self._has_xyz_m(position) else None,
        )

    def _has_xyz_m(self, position: int) -> bool:
        held = self._videos.get(layout.HAS_XYZ_M.name)
        return held is not None and bool(held[position])

    def _range(self, pointers: layout.RaggedArray, position: int) -> tuple[int, int]:
        start, stop = self._videos[pointers.name][position : position + 2].tolist()
        return start, stop

    def _rows(self, spec: layout.RaggedArray, rows: tuple[int, int]) -> Rows:
        if self._whole:
            return self._arrays[spec.name][slice(*rows)]
        return self._readers[spec.name].read(*rows)

    @cached_property
    def _attributes(self) -> dict[str, Any]:
        with as_corruption(f"{self._objects.url}/{METADATA}"):
            attributes = json.loads(self._objects.read(METADATA))["attributes"]
            return {name: attributes[name] for name in (_SKELETON, _SHAPES)}

    def _shapes(self, *, chunked: bool) -> dict[layout.RaggedArray, tuple[int, ...]]:
        shapes = self._attributes[_SHAPES]
        return {
            spec: tuple(shapes[spec.name])
            for spec in (*layout.POSE_ARRAYS, *layout.POSE_3D_ARRAYS)
            if spec.chunked == chunked and spec.name in shapes
        }

    @cached_property
    def _videos(self) -> dict[str, Rows]:
        return read_arrays(self._objects, self._shapes(chunked=False))

    @cached_property
    def _arrays(self) -> dict[str, Rows]:
        return read_arrays(self._objects, self._shapes(chunked=True))

    @cached_property
    def _readers(self) -> dict[str, RowReader]:
        return {
            spec.name: RowReader(self._objects, spec, shape)
            for spec, shape in self._shapes(chunked=True).items()
        }


def write_group(objects: Objects, records: Sequence[VideoRecord], generation: int) -> WrittenGroup:
    """Write the videos' poses as a new group.

    Raises:
        InputError: poses of two skeletons, or more people than slots.
        OSError: the disk refuses.
        EnvironmentFault: the object store refuses.
    """
    skeleton, arrays = skeleton_of(records), arrays_of(records)
    attributes: dict[str, Any] = {
        _SKELETON: skeleton,
        "generation": generation,
        "status_codes": [str(status) for status in layout.STATUS_CODES],
        _SHAPES: {spec.name: list(data.shape) for spec, data in arrays.items()},
    }
    draft = ZarrDraft()
    group = zarr.create_group(draft.store, zarr_format=3, attributes=attributes)
    for spec, data in arrays.items():
        layout.write_ragged(group, spec, data)
    files = draft.files()
    objects.write_all(files)
    return WrittenGroup(arrays[layout.VIDEO_PTR], files)
