"""A shard's records as the arrays of its group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Float32, Int64, PoseSequence
from posemill.storage import layout
from posemill.storage.fixed_point import OFFSET_STEPS, UInt16, step_px
from posemill.storage.pose_records import VideoRecord
from posemill.storage.track_steps import track_order, write_steps

Arrays = dict[layout.RaggedArray, npt.NDArray[Any]]

_MAX_SLOT = np.iinfo(np.uint16).max
_MICROSECONDS = 1e6


def skeleton_of(records: Sequence[VideoRecord]) -> str:
    """The one skeleton of all poses; empty where there are none.

    Raises:
        InputError: there are two.
    """
    skeletons = {(p.skeleton, p.num_keypoints) for p in _poses(records)}
    if len(skeletons) > 1:
        raise InputError(f"a shard's poses must be of one skeleton, got {sorted(skeletons)}")
    return next(iter(skeletons), ("", 0))[0]


def arrays_of(records: Sequence[VideoRecord]) -> Arrays:
    """Every array of the records' group, in the order of `records`.

    Raises:
        InputError: more people than slots.
    """
    orders = [track_order(pose) for pose in _poses(records)]
    return (
        _row_arrays(_poses(records), orders) | _video_arrays(records) | _arrays_3d(records, orders)
    )


def _poses(records: Sequence[VideoRecord]) -> list[PoseSequence]:
    return [record.poses for record in records if record.poses is not None]


def _row_arrays(poses: Sequence[PoseSequence], orders: Sequence[Int64]) -> Arrays:
    ordered = list(zip(poses, orders, strict=True))
    slots = [_check_slots(pose.slot)[order] for pose, order in ordered]
    return {
        layout.TRIPLETS: _steps(poses, orders),
        layout.FRAME: _join([pose.frame[order] for pose, order in ordered]),
        layout.SLOT: _join(slots),
        layout.PTS_US: _join([np.rint(p.pts_seconds * _MICROSECONDS) for p in poses]),
    }


def _steps(poses: Sequence[PoseSequence], orders: Sequence[Int64]) -> UInt16:
    num_keypoints = poses[0].num_keypoints if poses else 1
    ptr = _pointers([pose.num_rows for pose in poses])
    steps = np.empty((ptr[-1], num_keypoints, 3), np.uint16)
    for pose, order, start in zip(poses, orders, ptr, strict=False):
        write_steps(pose, order, steps[start : start + pose.num_rows])
    return steps


def _video_arrays(
    records: Sequence[VideoRecord],
) -> Arrays:
    poses = [record.poses for record in records]
    sizes = [(0, 0) if pose is None else (pose.width, pose.height) for pose in poses]
    return {
        layout.VIDEO_PTR: _pointers([0 if pose is None else pose.num_rows for pose in poses]),
        layout.FRAME_PTR: _pointers([0 if pose is None else pose.num_frames for pose in poses]),
        layout.SIZE_WH: np.array(sizes).reshape(-1, 2),
        layout.SCALE: np.array([step_px(*size) for size in sizes]),
        layout.OFFSET: np.full(len(records), OFFSET_STEPS),
        layout.FRAMES_DECLARED: np.array([record.frames_declared for record in records]),
        layout.STATUS: np.array([layout.STATUS_CODES.index(record.status) for record in records]),
    }


def _arrays_3d(records: Sequence[VideoRecord], orders: Sequence[Int64]) -> Arrays:
    """The 3-D positions of all rows, and which videos have any; nothing where none has."""
    poses = [record.poses for record in records]
    held = [pose is not None and pose.xyz_m is not None for pose in poses]
    if not any(held):
        return {}
    ordered = zip(_poses(records), orders, strict=True)
    positions = [_positions(pose)[order] for pose, order in ordered]
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


def _join(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0)
