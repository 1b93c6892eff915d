"""Where the videos are now that poses were made of, and which span of each was decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from posemill.pipelines.import_settings import STAGE as IMPORT
from posemill.schema import Video
from posemill.storage.files.location import join
from posemill.storage.poses import PoseStore
from posemill.storage.videos import VideoTable


def are_imported(poses: PoseStore) -> bool:
    """Whether poses came from files, so that what is told of those says nothing of the videos."""
    return bool(poses.configuration["stage"] == IMPORT)


class VideoPlaces:
    """The videos of a pose store by a catalog, which may have them elsewhere than the poses'."""

    def __init__(self, poses: PoseStore, root: str, videos: VideoTable) -> None:
        """`root` and `videos` are the catalog's."""
        self.root = root
        self._poses, self._videos = poses, videos
        self._rows = {video_id: row for row, video_id in enumerate(videos.ids())}

    def of_shard(self, shard_id: int) -> Mapping[str, Video]:
        """The videos of a pose shard by id, whose uris are texts of locations.

        Those that the catalog lacks are where their poses were made; of imported poses, which
        have no videos of their own, they are left out.

        Raises:
            InputError: a uri in the catalog is an address that is not taken.
            EnvironmentFault: the plan of the poses cannot be read.
        """
        planned = self._poses.shard_videos(shard_id)
        found = (self._place(video) for video in planned)
        return {video.id: video for video in found if video is not None}

    def _place(self, planned: Video) -> Video | None:
        row = self._rows.get(planned.id)
        if row is None:
            return None if are_imported(self._poses) else planned
        listed = self._videos[row]
        # The span that was decoded is the plan's: by its start frames are numbered.
        video = listed if are_imported(self._poses) else planned
        return replace(video, uri=join(self.root, listed.uri))
