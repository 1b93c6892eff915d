"""Gathers what is found in a clip's frames, and judges the clip when all are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posemill.models.estimators.base import FrameResult
from posemill.pipelines.decode import ClipFrames
from posemill.pipelines.decode.messages import Ended
from posemill.pipelines.pose_rows import PoseRows
from posemill.schema import Float32, PoseSequence, Video, VideoStatus
from posemill.storage.dense.spool import DenseSpool
from posemill.storage.pose_records import VideoRecord
from posemill.storage.video import Completeness, Frame, VideoFacts
from posemill.transforms.track_ranking import ranked
from posemill.transforms.tracking import TrackSettings


class ClipPoses:
    """Of one video: tell `saw` of each frame, and `add` what is in each, both in order."""

    def __init__(
        self, video: Video, skeleton: str, tracks: TrackSettings, spool: DenseSpool | None
    ) -> None:
        """`spool` takes the dense maps of the frames, where they are to be kept."""
        self._video, self._tracks, self._spool = video, tracks, spool
        self._rows = PoseRows(skeleton)
        self._pts_seconds: list[float] = []
        self.num_added = 0

    @property
    def num_seen(self) -> int:
        return len(self._pts_seconds)

    def saw(self, frame: Frame) -> None:
        self._pts_seconds.append(frame.pts_seconds)

    def add(self, result: FrameResult) -> None:
        """The people of the next frame, tracked, and its maps.

        Raises:
            ValueError: maps that are not finite numbers.
            DiskRefused: there is no room for them.
        """
        self._rows.append(result.persons)
        if self._spool is not None:
            self._spool.append(result.dense)
        self.num_added += 1

    def record(self, clip: ClipFrames) -> VideoRecord:
        """What is known of the video; its clip is read to the end."""
        ended = clip.ended
        facts = ended.facts
        poses = self._sequence(facts)
        message = f"{facts.frames_read} of {facts.header.frames_declared} frames; {facts.message}"
        whole = facts.completeness is Completeness.COMPLETE
        return VideoRecord(
            video_id=self._video.id,
            status=_status(ended, poses),
            reason="" if whole else facts.completeness,
            message="" if whole else message,
            identity=ended.identity,  # of what is read now, which may be newer
            poses=poses,
            frames_decoded=self.num_seen,
            frames_declared=facts.header.frames_declared,
            pts_source=facts.pts_source,
            dense={} if self._spool is None else self._spool.finish(),
        )

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()

    def _sequence(self, facts: VideoFacts) -> PoseSequence:
        declared = facts.header.frames_declared
        poses = self._rows.sequence(self._pts_seconds, facts.width, facts.height, declared)
        poses = replace(poses, xy_px=in_video_px(poses.xy_px, facts))
        return ranked(poses, self._tracks.max_persons)


def _status(ended: Ended, poses: PoseSequence) -> VideoStatus:
    if ended.facts.completeness is not Completeness.COMPLETE:
        return VideoStatus.DAMAGED
    return VideoStatus.OK if poses.num_rows else VideoStatus.EMPTY


def in_video_px(xy_px: Float32, facts: VideoFacts) -> Float32:
    """(..., 2) positions in frames that were scaled down, in those of the video.

    Pixel centres lie on integers, so the frame's edge, at -0.5, stays where it is.
    """
    scale = np.divide((facts.width, facts.height), facts.frame_size, dtype=np.float32)
    return (xy_px + np.float32(0.5)) * scale - np.float32(0.5) if (scale != 1).any() else xy_px
