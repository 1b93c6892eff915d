"""One shard's poses as a group of ragged Zarr arrays.

The rows of a video lie by track, then by frame. They are read back in a
`PoseSequence`'s order, by frame and then by slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from posemill.errors import InputError
from posemill.schema import Float32, Int64, PoseSequence
from posemill.storage import layout
from posemill.storage.fixed_point import OFFSET_STEPS, step_px
from posemill.storage.pose_records import VideoRecord
from posemill.storage.track_steps import decode_steps, steps_of, track_order

_MAX_SLOT = np.iinfo(np.uint16).max
_MICROSECONDS = 1e6


def write_group(path: Path, records: Sequence[VideoRecord], generation: int) -> Int64:
    """Write the videos' poses as a new group; the rows of video i are `ptr[i] : ptr[i + 1]`.

    Raises:
        InputError: poses of two skeletons, or more people than slots.
        OSError: the disk refuses.
    """
    poses = [record.poses for record in records if record.poses is not None]
    skeletons = {(pose.skeleton, pose.num_keypoints) for pose in poses}
    if len(skeletons) > 1:
        raise InputError(f"a shard's poses must be of one skeleton, got {sorted(skeletons)}")
    skeleton, num_keypoints = next(iter(skeletons), ("", 1))
    attributes = {
        "skeleton": skeleton,
        "generation": generation,
        "status_codes": [str(status) for status in layout.STATUS_CODES],
    }
    group = zarr.create_group(path, zarr_format=3, attributes=attributes)
    rows = _pointers([0 if r.poses is None else r.poses.num_rows for r in records])
    orders = [track_order(pose) for pose in poses]
    layout.write_ragged(group, layout.VIDEO_PTR, rows)
    for spec, data in _row_arrays(poses, orders, num_keypoints).items():
        layout.write_ragged(group, spec, data)
    for spec, data in (_video_arrays(records) | _arrays_3d(records, orders)).items():
        layout.write_ragged(group, spec, data)
    return rows


class PoseGroup:
    """Reads a group; its small arrays are read once."""

    def __init__(self, path: Path) -> None:
        self._group = zarr.open_group(path, mode="r", zarr_format=3)

    def read(self, position: int) -> PoseSequence:
        """The poses of the video at `position`."""
        rows = self._rows_of(position)
        return self._sequence(
            position, {spec: np.asarray(array[rows]) for spec, array in self._arrays.items()}
        )

    def read_all(self, positions: Sequence[int]) -> list[PoseSequence]:
        """The poses of the videos at `positions`, after one read of the whole group."""
        loaded = {spec: np.asarray(array[...]) for spec, array in self._arrays.items()}
        return [
            self._sequence(
                position, {spec: data[self._rows_of(position)] for spec, data in loaded.items()}
            )
            for position in positions
        ]

    def _rows_of(self, position: int) -> slice:
        start, stop = self._small[layout.VIDEO_PTR][position : position + 2]
        return slice(int(start), int(stop))

    def _sequence(
        self, position: int, rows: dict[layout.RaggedArray, npt.NDArray[Any]]
    ) -> PoseSequence:
        small = self._small
        first_frame, last_frame = small[layout.FRAME_PTR][position : position + 2]
        width, height = small[layout.SIZE_WH][position].tolist()
        by_frame = np.argsort(rows[layout.FRAME], kind="stable")
        places = np.empty_like(by_frame)
        places[by_frame] = np.arange(len(places))
        xy_px, score = decode_steps(
            rows[layout.TRIPLETS],
            places,
            float(small[layout.SCALE][position]),
            float(small[layout.OFFSET][position]),
        )
        return PoseSequence(
            skeleton=str(self._group.attrs["skeleton"]),
            xy_px=xy_px,
            score=score,
            frame=rows[layout.FRAME][by_frame].astype(np.int64),
            slot=rows[layout.SLOT][by_frame].astype(np.int64),
            pts_seconds=self._pts_us[first_frame:last_frame] / _MICROSECONDS,
            width=width,
            height=height,
            frames_declared=int(small[layout.FRAMES_DECLARED][position]),
            xyz_m=rows[layout.XYZ_M][by_frame] if self._has_xyz_m(position) else None,
        )

    def _has_xyz_m(self, position: int) -> bool:
        return bool(self._optional) and bool(self._small[layout.HAS_XYZ_M][position])

    @cached_property
    def _optional(self) -> tuple[layout.RaggedArray, ...]:
        """Both arrays where one is there: that the other is not must not pass unseen."""
        there = any(spec.name in self._group for spec in layout.POSE_3D_ARRAYS)
        return layout.POSE_3D_ARRAYS if there else ()

    @cached_property
    def _arrays(self) -> dict[layout.RaggedArray, zarr.Array[Any]]:
        optional = [spec for spec in self._optional if spec.chunked]
        specs = (layout.TRIPLETS, layout.FRAME, layout.SLOT, *optional)
        return {spec: self._array(spec) for spec in specs}

    @cached_property
    def _small(self) -> dict[layout.RaggedArray, npt.NDArray[Any]]:
        specs = [s for s in (*layout.POSE_ARRAYS, *self._optional) if not s.chunked]
        return {spec: np.asarray(self._array(spec)[...]) for spec in specs}

    @cached_property
    def _pts_us(self) -> Int64:
        return np.asarray(self._array(layout.PTS_US)[...], dtype=np.int64)

    def _array(self, spec: layout.RaggedArray) -> zarr.Array[Any]:
        array = self._group[spec.name]
        if not isinstance(array, zarr.Array):
            raise TypeError(f"{spec.name} must be an array, got a group")
        return array


def _row_arrays(
    poses: Sequence[PoseSequence], orders: Sequence[Int64], num_keypoints: int
) -> dict[layout.RaggedArray, npt.NDArray[Any]]:
    ordered = list(zip(poses, orders, strict=True))
    steps = [steps_of(pose, order) for pose, order in ordered]
    slots = [_check_slots(pose.slot)[order] for pose, order in ordered]
    return {
        layout.TRIPLETS: _join(steps, (0, num_keypoints, 3)),
        layout.FRAME: _join([pose.frame[order] for pose, order in ordered], (0,)),
        layout.SLOT: _join(slots, (0,)),
        layout.PTS_US: _join([np.rint(p.pts_seconds * _MICROSECONDS) for p in poses], (0,)),
    }


def _video_arrays(
    records: Sequence[VideoRecord],
) -> dict[layout.RaggedArray, npt.NDArray[Any]]:
    poses = [record.poses for record in records]
    sizes = [(0, 0) if pose is None else (pose.width, pose.height) for pose in poses]
    return {
        layout.FRAME_PTR: _pointers([0 if pose is None else pose.num_frames for pose in poses]),
        layout.SIZE_WH: np.array(sizes).reshape(-1, 2),
        layout.SCALE: np.array([step_px(*size) for size in sizes]),
        layout.OFFSET: np.full(len(records), OFFSET_STEPS),
        layout.FRAMES_DECLARED: np.array([record.frames_declared for record in records]),
        layout.STATUS: np.array([layout.STATUS_CODES.index(record.status) for record in records]),
    }


def _arrays_3d(
    records: Sequence[VideoRecord], orders: Sequence[Int64]
) -> dict[layout.RaggedArray, npt.NDArray[Any]]:
    """The 3-D positions of all rows, and which videos have any; nothing where none has."""
    poses = [record.poses for record in records]
    held = [pose is not None and pose.xyz_m is not None for pose in poses]
    if not any(held):
        return {}
    there = [pose for pose in poses if pose is not None]
    positions = [_positions(pose)[order] for pose, order in zip(there, orders, strict=True)]
    return {layout.XYZ_M: np.concatenate(positions), layout.HAS_XYZ_M: np.array(held)}


def _positions(pose: PoseSequence) -> Float32:
    """(P, K, 3) metres; 0 where nothing was detected, and throughout a video without positions."""
    xyz_m = np.zeros((*pose.score.shape, 3), np.float32)
    if pose.xyz_m is not None:
        detected = pose.score > 0
        xyz_m[detected] = pose.xyz_m[detected]
    return xyz_m


def _check_slots(slot: Int64) -> Int64:
    if slot.size and not (slot.min() >= 0 and slot.max() <= _MAX_SLOT):
        raise InputError(
            f"person slots must lie in 0..{_MAX_SLOT}, got {slot.min()}..{slot.max()}; "
            "number the tracks of each video from 0"
        )
    return slot


def _pointers(counts: Sequence[int]) -> Int64:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _join(parts: Sequence[npt.NDArray[Any]], empty_shape: tuple[int, ...]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(empty_shape)
