"""What a supervised child does with videos: decode, estimate, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from posemill.errors import ContentError, EnvironmentFault
from posemill.models.estimators.base import Estimator, EstimatorOptions
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.extract_shard import pose_configuration, without_poses
from posemill.pipelines.pose_rows import PoseRows
from posemill.pipelines.supervise.messages import Item, Journal
from posemill.schema import UInt8, Video, VideoStatus
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import LocalFile, local_file, require_root
from posemill.storage.files.location import Location
from posemill.storage.pose_records import VideoRecord
from posemill.storage.video import Completeness, VideoReader, open_video

Beat = Callable[[str], None]


class VideoJob:
    """Turns videos into records; satisfies `supervise.messages.Job`."""

    def __init__(self, source_root: str, estimator: str, options: EstimatorOptions) -> None:
        self._source_root = source_root
        self._cache = FileCache.of_environment()
        self._estimator = create_estimator(estimator, options)
        self.facts = pose_configuration(self._estimator, options)
        """The configuration of the poses that this process makes."""

    def probe(self) -> None:
        """The source is there, and one grey frame goes through the estimator."""
        require_root(self._source_root)
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
            video, location = item.payload
            journal.finish(item.id, self._record(video, location, journal.beat))

    def _record(self, video: Video, location: Location, beat: Beat) -> VideoRecord:
        try:
            with local_file(location, self._cache, beat) as file:
                return extract_video(video, file, self._estimator, beat)
        except FileNotFoundError:
            require_root(self._source_root)
            message = f"{location} is not there; index the videos again, or restore the file"
            return without_poses(video, VideoStatus.MISSING, "missing", message)
        except ContentError as error:
            return without_poses(video, VideoStatus.QUARANTINED, error.reason, str(error))


def extract_video(video: Video, file: LocalFile, estimator: Estimator, beat: Beat) -> VideoRecord:
    """Decode a video, estimate its poses and judge it; `beat` hears of every frame.

    Raises:
        ContentError: not one frame can be decoded.
        FileNotFoundError: the file is not there.
        EnvironmentFault: the file is there and cannot be read.
    """
    beat("opening the file")
    with open_video(
        file.path, start_seconds=video.start_seconds, end_seconds=video.end_seconds
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
        identity=file.identity,  # of what is read now, which may be newer
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
