"""Poses, records and stores to test with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from posemill.schema import PoseSequence, VideoStatus
from posemill.storage.poses import VideoRecord


def _make_poses(
    num_frames: int = 4,
    num_people: int = 2,
    *,
    seed: int = 0,
    width: int = 320,
    height: int = 240,
    with_xyz: bool = False,
) -> PoseSequence:
    rng = np.random.default_rng(seed)
    num_rows = num_frames * num_people
    score = rng.random((num_rows, 17), dtype=np.float32)
    score[score < 0.2] = 0
    xy_px = rng.random((num_rows, 17, 2), dtype=np.float32) * np.float32([width, height])
    xyz_m = rng.normal(0, 2, (num_rows, 17, 3)).astype(np.float32)
    return PoseSequence(
        skeleton="coco-17",
        xy_px=xy_px.astype(np.float32),
        score=score,
        frame=np.repeat(np.arange(num_frames), num_people),
        slot=np.tile(np.arange(num_people), num_frames),
        pts_seconds=np.arange(num_frames) / 25,
        width=width,
        height=height,
        frames_declared=num_frames + 1,
        xyz_m=xyz_m if with_xyz else None,
    )


def _make_record(
    video_id: str, poses: PoseSequence | None = None, status: VideoStatus = VideoStatus.OK
) -> VideoRecord:
    if status.has_frames and poses is None:
        poses = _make_poses()
    return VideoRecord(
        video_id=video_id,
        status=status,
        reason="" if status.has_frames else "unreadable",
        message="" if status.has_frames else f"{video_id}.mp4: no frame",
        identity=f"identity of {video_id}",
        poses=poses,
        frames_decoded=0 if poses is None else poses.num_frames,
        frames_declared=0 if poses is None else poses.frames_declared,
    )


@pytest.fixture(scope="session")
def make_poses() -> Callable[..., PoseSequence]:
    return _make_poses


@pytest.fixture(scope="session")
def make_record() -> Callable[..., VideoRecord]:
    return _make_record


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Path]:
    """Writes frames whose grey level counts up: frame i has level 4 i."""

    def write(path: Path, num_frames: int = 30, fps: float = 10.0, codec: str = "MJPG") -> Path:
        fourcc = cv2.VideoWriter.fourcc(*codec)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, fps, (64, 48))
        for index in range(num_frames):
            writer.write(np.full((48, 64, 3), 4 * index, np.uint8))
        writer.release()
        return path

    return write
