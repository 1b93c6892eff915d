"""Whether clips that were not made may be by now: their videos' files are others than then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from posemill.pipelines.pictures.places import VideoPlaces
from posemill.storage.features import FeatureCommit, FeatureRow
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import look_at_all
from posemill.storage.files.location import Location
from posemill.storage.identity import ABSENT


def mended_shards(
    places: VideoPlaces, commits: Mapping[int, FeatureCommit], rows: Iterable[FeatureRow]
) -> frozenset[int]:
    """Pose shards that are worth another attempt, among those committed with unmade clips.

    Raises:
        EnvironmentFault: an address gives no answer, or a plan cannot be read.
        OSError: a folder may not be looked into.
    """
    failed = [
        (row, unmade)
        for row in rows
        if row.pose_shard in commits
        and (unmade := commits[row.pose_shard].unmade.get(row.clip_id)) is not None
    ]
    now = _identities(places, [row for row, _ in failed])
    return frozenset(
        row.pose_shard for row, unmade in failed if unmade.identity != now[row.video_id]
    )


def _identities(places: VideoPlaces, rows: Iterable[FeatureRow]) -> dict[str, str]:
    """Of each row's video as its file is now, `ABSENT` where there is none."""
    of_shard = cache(places.of_shard)
    videos = {row.video_id: of_shard(row.pose_shard).get(row.video_id) for row in rows}
    locations = {video.uri: Location.parse(video.uri) for video in videos.values() if video}
    looks = look_at_all(locations.values(), FileCache.of_environment())
    seen = {uri: look for uri, look in zip(locations, looks, strict=True) if look is not None}
    return {
        video_id: ABSENT if video is None or video.uri not in seen else seen[video.uri].identity
        for video_id, video in videos.items()
    }
