"""What a supervised child does with videos: have them decoded, estimate, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from posemill.errors import ContentError, EnvironmentFault
from posemill.models.estimators.base import Estimator, EstimatorOptions
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.decode import ClipFrames, DecoderPool, DecodeSettings, Request
from posemill.pipelines.extract_shard import pose_configuration, without_poses
from posemill.pipelines.pose_rows import PoseRows
from posemill.pipelines.supervise.messages import Item, Journal
from posemill.schema import Float32, UInt8, Video, VideoStatus
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import require_root
from posemill.storage.files.location import Location
from posemill.storage.pose_records import VideoRecord
from posemill.storage.video import Completeness, VideoFacts

Beat = Callable[[str], None]


class VideoJob:
    """Turns videos into records; satisfies `supervise.messages.Job`.

    The next videos are decoded while the poses of one are estimated; a video is
    begun when its frames are wanted, and what befell its decoder before is told
    then. So the one video that is begun is the one at fault.
    """

    def __init__(
        self,
        source_root: str,
        estimator: str,
        options: EstimatorOptions,
        decoding: DecodeSettings,
    ) -> None:
        self._source_root = source_root
        self._cache = FileCache.of_environment()
        self._decoding = decoding
        self._pool = DecoderPool(decoding.processes)
        self._estimator = create_estimator(estimator, options)
        self.facts = pose_configuration(self._estimator, options, decoding.frames)
        """The configuration of the poses that this process makes."""

    def probe(self) -> None:
        """The source is there, the decoders run, and one grey frame goes through the estimator."""
        require_root(self._source_root)
        self._pool.ready()
        grey = np.full((64, 64, 3), 128, np.uint8)
        try:
            list(self._estimator.estimate([grey]))
        except Exception as error:
            raise EnvironmentFault(
                f"the estimator {self._estimator.spec.name} fails on a plain grey frame, so the "
                f"device or its software is at fault: {type(error).__name__}: {error}"
            ) from error

    def work(self, items: tuple[Item, ...], journal: Journal) -> None:
        clips = self._pool.decode(map(self._request, items), journal.beat)
        for item, clip in zip(items, clips, strict=True):
            video, location = item.payload
            clip.fetch()  # what a network takes is not the video's time
            journal.begin(item.id)
            journal.finish(item.id, self._record(video, location, clip, journal.beat))

    def _request(self, item: Item) -> Request:
        video, location = item.payload
        return Request(
            item.id,
            location,
            self._cache,
            video.start_seconds,
            video.end_seconds,
            self._decoding.frames,
            self._decoding.limits,
        )

    def _record(
        self, video: Video, location: Location, clip: ClipFrames, beat: Beat
    ) -> VideoRecord:
        try:
            if _is_there(clip):
                return extract_video(video, clip, self._estimator, beat)
        except ContentError as error:
            return without_poses(video, VideoStatus.QUARANTINED, error.reason, str(error))
        require_root(self._source_root)
        message = f"{location} is not there; index the videos again, or restore the file"
        return without_poses(video, VideoStatus.MISSING, "missing", message)


def _is_there(clip: ClipFrames) -> bool:
    """Whether there is a file, be it readable or not."""
    try:
        clip.open()
    except FileNotFoundError:
        return False
    return True


def extract_video(video: Video, clip: ClipFrames, estimator: Estimator, beat: Beat) -> VideoRecord:
    """Estimate the poses of a video's frames and judge it; `beat` hears of every frame.

    Raises:
        ContentError: not one frame can be decoded.
        EnvironmentFault: the file cannot be read on.
        ProcessLost: its decoder is.
    """
    rows, pts_seconds = PoseRows(estimator.spec.skeleton), list[float]()
    with clip:
        for persons in estimator.estimate(_frames(clip, pts_seconds, beat)):
            rows.append(persons)
    facts = clip.ended.facts
    declared = facts.header.frames_declared
    poses = rows.sequence(pts_seconds, facts.width, facts.height, declared)
    poses = replace(poses, xy_px=in_video_px(poses.xy_px, facts))
    whole = facts.completeness is Completeness.COMPLETE
    if not whole:
        status = VideoStatus.DAMAGED
    else:
        status = VideoStatus.OK if poses.num_rows else VideoStatus.EMPTY
    return VideoRecord(
        video_id=video.id,
        status=status,
        reason="" if whole else facts.completeness,
        message="" if whole else f"{facts.frames_read} of {declared} frames; {facts.message}",
        identity=clip.ended.identity,  # of what is read now, which may be newer
        poses=poses,
        frames_decoded=len(pts_seconds),
        frames_declared=declared,
        pts_source=facts.pts_source,
    )


def in_video_px(xy_px: Float32, facts: VideoFacts) -> Float32:
    """(..., 2) positions in frames that were scaled down, in those of the video.

    Pixel centres lie on integers, so the frame's edge, at -0.5, stays where it is.
    """
    scale = np.divide((facts.width, facts.height), facts.frame_size, dtype=np.float32)
    return (xy_px + np.float32(0.5)) * scale - np.float32(0.5) if (scale != 1).any() else xy_px


def _frames(clip: ClipFrames, pts_seconds: list[float], beat: Beat) -> Iterator[UInt8]:
    """The clip's frames; their times are appended to `pts_seconds` on the way."""
    for frame in clip:
        pts_seconds.append(frame.pts_seconds)
        beat(f"estimating poses, at frame {frame.index}")
        yield frame.rgb
