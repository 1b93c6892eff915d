"""What a supervised child does with videos: decode, estimate, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from posemill.errors import ContentError, EnvironmentFault
from posemill.models.estimators.base import Estimator, EstimatorOptions
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.extract_shard import pose_configuration, without_poses
from posemill.pipelines.pose_rows import PoseRows
from posemill.pipelines.supervise.messages import Item, Journal
from posemill.schema import UInt8, Video, VideoStatus
from posemill.storage.identity import file_identity
from posemill.storage.pose_records import VideoRecord
from posemill.storage.video import Completeness, VideoReader, open_video

Beat = Callable[[str], None]


class VideoJob:
    """Turns videos into records; satisfies `supervise.messages.Job`."""

    def __init__(self, source_root: Path, estimator: str, options: EstimatorOptions) -> None:
        self._source_root = source_root
        self._estimator = create_estimator(estimator, options)
        self.facts = pose_configuration(self._estimator, options)
        """The configuration of the poses that this process makes."""

    def probe(self) -> None:
        """The source is there, and one grey frame goes through the estimator."""
        self._require_source()
        grey = np.full((64, 64, 3), 128, np.uint8)
        try:
            list(self._estimator.estimate([grey]))
        except Exception as error:
            raise EnvironmentFault(
                f"the estimator {self._estimator.spec.name} fails on a plain grey frame, so the "
                f"device or its software is at fault: {type(error).__name__}: {error}"
            ) from error

    def work(self, items: tuple[Item, ...], journal: Journal) -> None:
        for item in items:
            journal.begin(item.id)
            video, path = item.payload
            journal.finish(item.id, self._record(video, path, journal.beat))

    def _record(self, video: Video, path: Path, beat: Beat) -> VideoRecord:
        if not path.exists():
            self._require_source()
            message = f"{path} is not there; index the folder again, or restore the file"
            return without_poses(video, VideoStatus.MISSING, "missing", message)
        try:
            return extract_video(video, path, self._estimator, beat)
        except ContentError as error:
            return without_poses(video, VideoStatus.QUARANTINED, error.reason, str(error))

    def _require_source(self) -> None:
        """An unmounted disk must not make every video count as missing."""
        root = self._source_root
        if not root.is_dir() or not any(root.iterdir()):
            raise EnvironmentFault(
                f"the videos' folder {root} is not there or empty; mount it, or index the "
                "videos where they are now"
            )


def extract_video(video: Video, path: Path, estimator: Estimator, beat: Beat) -> VideoRecord:
    """Decode a video, estimate its poses and judge it; `beat` hears of every frame.

    Raises:
        ContentError: not one frame can be decoded.
        FileNotFoundError: the file is not there.
        EnvironmentFault: the file is there and cannot be read.
    """
    beat("opening the file")
    identity = file_identity(path)  # of the file that is read now, which may be a newer one
    with open_video(
        path, start_seconds=video.start_seconds, end_seconds=video.end_seconds
    ) as reader:
        rows, pts_seconds = PoseRows(estimator.spec.skeleton), list[float]()
        for persons in estimator.estimate(_frames(reader, pts_seconds, beat)):
            rows.append(persons)
        declared = reader.frames_declared
        poses = rows.sequence(pts_seconds, reader.width, reader.height, declared)
        facts = reader.facts()
    whole = facts.completeness is Completeness.COMPLETE
    if not whole:
        status = VideoStatus.DAMAGED
    else:
        status = VideoStatus.OK if poses.num_rows else VideoStatus.EMPTY
    return VideoRecord(
        video_id=video.id,
        status=status,
        reason="" if whole else facts.completeness,
        message="" if whole else f"{len(pts_seconds)} of {declared} frames; {facts.message}",
        identity=identity,
        poses=poses,
        frames_decoded=len(pts_seconds),
        frames_declared=declared,
    )


def _frames(reader: VideoReader, pts_seconds: list[float], beat: Beat) -> Iterator[UInt8]:
    """The reader's frames; their times are appended to `pts_seconds` on the way."""
    beat("decoding frame 0")
    for frame in reader:
        pts_seconds.append(frame.pts_seconds)
        beat(f"estimating poses, at frame {frame.index}")
        yield frame.rgb
        beat(f"decoding frame {frame.index + 1}")
