"""Checks a shard of a pose store to the last byte and row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from posemill.errors import StoreCorrupted
from posemill.schema import Video
from posemill.storage.commits import RecordName, file_problems
from posemill.storage.damage import Checked, Damage
from posemill.storage.pose_group import PoseGroup
from posemill.storage.pose_mending import NO_GROUP, without_damaged, without_everything
from posemill.storage.pose_records import ShardCommit, VideoEntry
from posemill.storage.poses import SHARDS, PoseStore
from posemill.storage.store_parts import COMMITS


def check_shard(store: PoseStore, name: RecordName, videos: Sequence[Video]) -> Checked:
    """Compare a shard's latest record, every file it names and every row with each other.

    `videos` are those that the plan has for the shard, none where the plan cannot be read.

    Raises:
        EnvironmentFault: something there cannot be read.
    """
    try:
        commit = store.commit(name)
    except StoreCorrupted as error:
        return _unreadable(store, name, videos, str(error))
    left_out = tuple(_left_out(commit, videos))
    damages = (*left_out, *_damages(store, commit))
    # The first problem of each group.
    damaged = {damage.place.split("/")[1]: str(damage) for damage in reversed(damages)}
    groups = {group: damaged[group] for group in commit.files if group in damaged}
    sizes = [file.num_bytes for files in commit.files.values() for file in files.values()]
    return Checked(
        damages=damages,
        num_files=len(sizes),
        num_bytes=sum(sizes),
        to_do=commit.has_void,
        mend=partial(store.supersede, without_damaged(commit, groups, videos))
        if groups or left_out
        else None,
    )


def _unreadable(store: PoseStore, name: RecordName, videos: Sequence[Video], found: str) -> Checked:
    ids = tuple(video.id for video in videos)
    void = without_everything(name, store.configuration_hash, videos, found)
    return Checked(
        damages=(Damage(f"{COMMITS}/{name}", "was altered or cut short", ids),),
        mend=partial(store.supersede, void) if videos else None,
    )


def _left_out(commit: ShardCommit, videos: Sequence[Video]) -> Iterator[Damage]:
    """Planned videos that the record does not tell of."""
    told = {entry.video_id for entry in commit.entries}
    left_out = tuple(video.id for video in videos if video.id not in told)
    if left_out:
        yield Damage(f"{COMMITS}/{commit.record}", "does not tell of all planned videos", left_out)


def _damages(store: PoseStore, commit: ShardCommit) -> Iterator[Damage]:
    by_group: dict[str, list[VideoEntry]] = {group: [] for group in commit.files}
    for entry in commit.entries:
        if entry.group != NO_GROUP:
            by_group.setdefault(entry.group, []).append(entry)
    for group, entries in by_group.items():
        yield from _group_damages(store, commit, group, entries)


def _group_damages(
    store: PoseStore, commit: ShardCommit, group: str, entries: Sequence[VideoEntry]
) -> Iterator[Damage]:
    place = f"{SHARDS}/{group}"
    objects = store.objects.at(SHARDS, group)
    ids = tuple(entry.video_id for entry in entries if entry.status.has_frames)
    problems = file_problems(objects, commit.files.get(group, {}), content=True)
    for path, found in problems.items():
        yield Damage(f"{place}/{path}", found, ids)
    if not problems and (problem := _row_problem(PoseGroup(objects, whole=True), entries)):
        yield Damage(place, problem, ids)


def _row_problem(group: PoseGroup, entries: Sequence[VideoEntry]) -> str | None:
    """What is wrong with the rows that entries name, though every file is as committed."""
    for entry in entries:
        if not entry.status.has_frames:
            continue
        try:
            rows, pose = group.row_range(entry.position), group.read(entry.position)
        except (StoreCorrupted, ValueError, LookupError) as error:
            return f"video {entry.video_id}: {error}"
        found = (rows, pose.num_rows, pose.num_frames)
        expected = (entry.rows, entry.rows[1] - entry.rows[0], entry.frames_decoded)
        if found != expected:
            return (
                f"video {entry.video_id}: rows, their number and frames are {found}, "
                f"committed were {expected}"
            )
    return None
