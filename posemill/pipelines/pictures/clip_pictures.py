"""The pictures of clips: which frames each wants, read with as few passes as memory allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from posemill.pipelines.pictures.frame_reader import FrameReader
from posemill.pipelines.pictures.places import VideoPlaces, are_imported
from posemill.pipelines.pictures.posed_video import NoPictures, PosedVideo
from posemill.pipelines.pictures.settings import PictureSettings
from posemill.pipelines.pose_settings import stored_frames
from posemill.schema import Int64, PoseSequence, UInt8, Video, VideoStatus
from posemill.storage.identity import ABSENT
from posemill.storage.poses import PoseStore, VideoEntry
from posemill.transforms.sample import Pictures


@dataclass(frozen=True, slots=True)
class WantedFrames:
    """Of one clip."""

    in_clip: Int64  # (N,) rising numbers of the clip's frames
    in_video: Int64  # (N,) the same frames' numbers in the poses of the whole video


class ClipPictures:
    """Pictures of the clips of one pose shard; a context manager, which ends its decoder."""

    def __init__(
        self,
        poses: PoseStore,
        places: VideoPlaces,
        shard_id: int,
        settings: PictureSettings,
    ) -> None:
        self._videos: Mapping[str, Video] = places.of_shard(shard_id)
        imported = are_imported(poses)
        self._options = None if imported else stored_frames(poses.configuration)
        self._settings = settings
        self._reader = FrameReader(places.root, settings)

    def __enter__(self) -> ClipPictures:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    def of_video(
        self, entry: VideoEntry, pose: PoseSequence, clips: Sequence[WantedFrames]
    ) -> Iterator[Pictures | NoPictures]:
        """Of each clip of a video its pictures, or why there are none; made as they are read.

        Raises:
            EnvironmentFault: as `FrameReader.read`.
        """
        if entry.video_id not in self._videos:
            message = f"missing video: the catalog has no video {entry.video_id!r}"
            yield from [NoPictures(VideoStatus.MISSING, message, ABSENT)] * len(clips)
            return
        video = PosedVideo(self._videos[entry.video_id], entry, pose, self._options)
        for together in self._passes(clips, video.frame_bytes):
            yield from self._one_pass(video, together)

    def _passes(
        self, clips: Sequence[WantedFrames], frame_bytes: int
    ) -> Iterator[list[WantedFrames]]:
        """Clips in order, as many together as the frames that they want fit into a pass."""
        most = max(self._settings.pass_bytes // frame_bytes, 1)
        together, frames = list[WantedFrames](), set[int]()
        for clip in clips:
            more = frames | set(clip.in_video.tolist())
            if together and len(more) > most:
                yield together
                together, more = [], set(clip.in_video.tolist())
            together, frames = [*together, clip], more
        if together:
            yield together

    def _one_pass(
        self, video: PosedVideo, clips: Sequence[WantedFrames]
    ) -> Iterator[Pictures | NoPictures]:
        numbers = np.unique(np.concatenate([clip.in_video for clip in clips]))
        try:
            rgb = self._read(video, numbers)
        except NoPictures as error:
            yield from (error if len(clip.in_video) else _none(video) for clip in clips)
            return
        for clip in clips:
            rows = np.searchsorted(numbers, clip.in_video)
            yield Pictures(clip.in_clip, rgb if len(rows) == len(rgb) else rgb[rows])

    def _read(self, video: PosedVideo, numbers: Int64) -> UInt8:
        if not len(numbers):
            return _none(video).rgb
        return self._reader.read(video, numbers)


def _none(video: PosedVideo) -> Pictures:
    """Of a clip without frames."""
    size = video.pose.height, video.pose.width
    return Pictures(np.empty(0, np.int64), np.empty((0, *size, 3), np.uint8))
