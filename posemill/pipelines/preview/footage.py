"""The frames that poses were found in, decoded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from posemill.errors import InputError
from posemill.schema import PoseSequence, UInt8, Video
from posemill.storage.catalog import Catalog, read_catalog
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import local_file
from posemill.storage.files.location import Location
from posemill.storage.poses import PoseStore
from posemill.storage.video import FrameOptions, open_video


@dataclass(frozen=True, slots=True)
class Footage:
    """The videos of a catalog, and how their frames were taken."""

    catalog: Catalog
    videos: Mapping[str, Video]
    options: FrameOptions

    @classmethod
    def of(cls, store: PoseStore, catalog: Path | None) -> Footage | None:
        """By the catalog given, or the one the store was made from; None where there is neither.

        Raises:
            InputError: it cannot be read.
        """
        path = catalog or store.catalog_hint
        if path is None:
            return None
        try:
            found = read_catalog(path)
        except InputError as error:
            raise InputError(f"{error} Or say where the catalog is now with --catalog.") from error
        frames = store.configuration.get("frames")
        options = FrameOptions() if frames is None else FrameOptions.of_configuration(frames)
        return cls(found, {video.id: video for video in found.videos}, options)

    def frames(self, video_id: str, pose: PoseSequence, wanted: Sequence[int]) -> Iterator[UInt8]:
        """The frames numbered `wanted`, ascending, of a video.

        Raises:
            InputError: there is no such video or file, or it is not the one that
                the poses are of.
        """
        if video_id not in self.videos:
            raise InputError(
                f"the catalog {self.catalog.name!r} has no video {video_id!r}; give the one that "
                "the poses were extracted from with --catalog"
            )
        video = self.videos[video_id]
        location = Location.parse(self.catalog.video_path(video))
        try:
            with local_file(location, FileCache.of_environment()) as file:
                yield from self._of_file(file.path, location, video, pose, wanted)
        except FileNotFoundError as error:
            raise InputError(f"{location} of video {video_id!r} is not there any more") from error

    def _of_file(
        self,
        path: Path,
        location: Location,
        video: Video,
        pose: PoseSequence,
        wanted: Sequence[int],
    ) -> Iterator[UInt8]:
        with open_video(
            path,
            start_seconds=video.start_seconds,
            end_seconds=video.end_seconds,
            **self.options.as_dict(),
        ) as reader:
            if (reader.width, reader.height) != (pose.width, pose.height):
                raise InputError(
                    f"{location} is {reader.width} x {reader.height} px, and the poses of "
                    f"{video.id!r} are of {pose.width} x {pose.height}: the file has changed; "
                    "extract it again"
                )
            remaining = list(wanted)
            for frame in reader:
                if frame.index == remaining[0]:
                    remaining.pop(0)
                    yield frame.rgb
                if not remaining:
                    return
        raise InputError(
            f"{location} ends before frame {remaining[0]}, and the poses of {video.id!r} have "
            f"{pose.num_frames}: the file has changed; extract it again"
        )
