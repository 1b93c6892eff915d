"""Estimates videos one after the other, for estimators that follow people from frame to frame."""

from __future__ import annotations

from collections import deque

from posemill.models.estimators.base import Estimator, FrameResult
from posemill.pipelines.estimate.video_read import VideoRead
from posemill.pipelines.estimate.video_source import VideoSource


def estimate_in_turn(estimator: Estimator, source: VideoSource) -> None:
    """Until there is no further video; the next ones are decoded meanwhile."""
    asked = deque(source.more())
    while asked or not source.has_ended:
        if asked:
            _estimate(estimator, asked.popleft())
        asked += source.more()


def _estimate(estimator: Estimator, read: VideoRead) -> None:
    read.clip.fetch()  # what a network takes is not the video's time
    read.begin()
    for persons in estimator.estimate(read.frames()):
        read.add(FrameResult(persons))
