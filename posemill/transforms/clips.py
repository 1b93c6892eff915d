"""Views of a pose sequence: a clip's frames, chosen frames in any order, a part of the frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from posemill.schema import Int64, PoseSequence
from posemill.transforms.geometry import Box, map_to


def clip_poses(
    pose: PoseSequence, start_seconds: float = 0.0, end_seconds: float | None = None
) -> PoseSequence:
    """The frames of `pose` with a time in [start_seconds, end_seconds), numbered from 0.

    Times stay those of the video. A clip of the whole video (from 0 on,
    without an end) is `pose` itself, whatever its first time stamp is.

    Raises:
        ValueError: the span is empty.
    """
    wanted = _in_span(pose, start_seconds, end_seconds)
    if wanted.all():
        return pose
    number = np.cumsum(wanted) - 1  # new number of each wanted frame
    rows = wanted[pose.frame]
    return replace(
        pose,
        xy_px=pose.xy_px[rows],
        score=pose.score[rows],
        frame=number[pose.frame[rows]].astype(np.int64),
        slot=pose.slot[rows],
        pts_seconds=pose.pts_seconds[wanted],
        xyz_m=None if pose.xyz_m is None else pose.xyz_m[rows],
    )


def clip_frames(
    pose: PoseSequence, start_seconds: float = 0.0, end_seconds: float | None = None
) -> Int64:
    """Numbers in `pose` of the frames of a clip, as `clip_poses` takes them.

    Raises:
        ValueError: the span is empty.
    """
    return np.flatnonzero(_in_span(pose, start_seconds, end_seconds)).astype(np.int64)


def _in_span(
    pose: PoseSequence, start_seconds: float, end_seconds: float | None
) -> npt.NDArray[np.bool_]:
    """Which frames are in the span; all in one from 0 on without an end."""
    if end_seconds is not None and end_seconds <= start_seconds:
        raise ValueError(f"the span [{start_seconds}, {end_seconds}) s is empty")
    if start_seconds <= 0.0 and end_seconds is None:
        return np.ones(pose.num_frames, np.bool_)
    last = np.inf if end_seconds is None else end_seconds
    wanted: npt.NDArray[np.bool_] = (pose.pts_seconds >= start_seconds) & (pose.pts_seconds < last)
    return wanted


def map_pose(pose: PoseSequence, box: Box, size_hw: tuple[int, int]) -> PoseSequence:
    """The poses in px of a picture of `size_hw` that shows `box` of the frame."""
    height, width = size_hw
    return replace(pose, xy_px=map_to(pose.xy_px, box, size_hw), width=width, height=height)


def gather_frames(frame_ptr: Int64, frames: npt.NDArray[np.integer]) -> tuple[Int64, Int64]:
    """Rows of the frames numbered `frames` (N,), in that order and as often as named.

    Returns:
        rows (R,), to index a sequence's rows with, and the pointer (N + 1,):
        the rows of the n-th of `frames` are `rows[ptr[n] : ptr[n + 1]]`.
    """
    first, count = frame_ptr[frames], np.diff(frame_ptr)[frames]
    ptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
    within = np.arange(ptr[-1]) - np.repeat(ptr[:-1], count)
    return np.repeat(first, count) + within, ptr
