"""Estimates videos one after the other, for estimators that follow people from frame to frame."""

from __future__ import annotations

from collections import deque

from posemill.models.estimators.base import Estimator, FrameResult
from posemill.pipelines.decode import DecoderPool
from posemill.pipelines.estimate.video_read import NextVideo, VideoRead


def estimate_in_turn(estimator: Estimator, pool: DecoderPool, next_video: NextVideo) -> None:
    """Until there is no further video; the next ones are decoded meanwhile."""
    asked = deque[VideoRead]()
    while True:
        while pool.wants_another and (read := next_video(not asked)) is not None:
            asked.append(read)
        if not asked:
            return
        _estimate(estimator, asked.popleft())


def _estimate(estimator: Estimator, read: VideoRead) -> None:
    read.clip.fetch()  # what a network takes is not the video's time
    read.begin()
    for persons in estimator.estimate(read.frames()):
        read.add(FrameResult(persons))
