"""What mending commits: the next generation of a shard, without what was found damaged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from posemill.schema import Video, VideoStatus
from posemill.storage.commits import RecordName
from posemill.storage.pose_records import ShardCommit, VideoEntry

NO_GROUP = ""
"""What an entry names that has no rows in any group."""

LOST = "store_damaged"
"""The reason of void entries."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """Videos of a committed shard that are to be made again, as its next generation."""

    shard_id: int
    generation: int
    video_ids: tuple[str, ...]


def without_damaged(
    commit: ShardCommit, damage: Mapping[str, str], videos: Sequence[Video]
) -> ShardCommit:
    """The next generation, in which the videos of damaged groups are void.

    `damage` tells of each damaged group what was found. A video that has no rows there
    (missing, quarantined) only loses the group's name. `videos` are the planned ones:
    one that the commit does not tell of becomes void, too.
    """
    entries = [
        _without_rows(entry, damage[entry.group]) if entry.group in damage else entry
        for entry in commit.entries
    ]
    known = {entry.video_id for entry in commit.entries}
    left_out = [video for video in videos if video.id not in known]
    entries += [_void(video, commit.shard_id, "no record tells of it") for video in left_out]
    order = {video.id: number for number, video in enumerate(videos)}
    return replace(
        commit,
        generation=commit.generation + 1,
        entries=tuple(sorted(entries, key=lambda entry: order.get(entry.video_id, len(order)))),
        files={group: files for group, files in commit.files.items() if group not in damage},
        marker_sha256="",
        attempt=None,
    )


def without_everything(
    name: RecordName, configuration_hash: str, videos: Sequence[Video], found: str
) -> ShardCommit:
    """The generation after `name`, of which nothing is known but what was planned."""
    return ShardCommit(
        shard_id=name.shard_id,
        generation=name.generation + 1,
        configuration_hash=configuration_hash,
        entries=tuple(_void(video, name.shard_id, found) for video in videos),
        files={},
    )


def remainder(commit: ShardCommit, video_ids: Iterable[str] | None = None) -> Remainder | None:
    """The void videos of a shard, or those of `video_ids`, in plan order; None without any."""
    wanted = None if video_ids is None else set(video_ids)
    chosen = tuple(
        entry.video_id
        for entry in commit.entries
        if (entry.status is VideoStatus.VOID if wanted is None else entry.video_id in wanted)
    )
    return Remainder(commit.shard_id, commit.generation + 1, chosen) if chosen else None


def _without_rows(entry: VideoEntry, found: str) -> VideoEntry:
    placeless = replace(entry, group=NO_GROUP, position=0, rows=(0, 0))
    if not entry.status.has_frames:
        return placeless
    return replace(
        placeless,
        status=VideoStatus.VOID,
        reason=LOST,
        message=found,
        frames_decoded=0,
        frames_declared=0,
    )


def _void(video: Video, shard_id: int, found: str) -> VideoEntry:
    return VideoEntry(
        video_id=video.id,
        status=VideoStatus.VOID,
        reason=LOST,
        message=found,
        identity=video.identity,
        frames_decoded=0,
        frames_declared=0,
        shard_id=shard_id,
        group=NO_GROUP,
        position=0,
        rows=(0, 0),
    )
