"""The pose store: ragged, quantised poses of shards of videos, committed shard by shard.

::

    poses.zarr/
      zarr.json                      kind, schema version, configuration and its hash
      plan/000.parquet               video -> shard, order, cost; growth adds 001
      shards/s000123.g000-<12 hex>/  one attempt's arrays (see layout.py)
      commits/s000123.g000.json      makes an attempt's data visible (see commits.py)
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

from posemill.errors import EnvironmentFault, InputError, StoreCorrupted
from posemill.provenance import Attempt
from posemill.schema import Int64, PoseSequence, Video
from posemill.storage.commits import (
    FileRecord,
    RecordName,
    check_files,
    record_files,
)
from posemill.storage.dense.arrays import is_dense, write_dense
from posemill.storage.dense.reader import DenseGroup
from posemill.storage.durable import disk_faults
from posemill.storage.layout import POSES_KIND, POSES_SCHEMA_VERSION, XYZ_M
from posemill.storage.objects import Objects, Place
from posemill.storage.plan_table import (
    PlanTable,
    of_shard,
    plan_from_table,
    plan_to_table,
    require_planned,
)
from posemill.storage.plans import (
    NumberedTables,
    count_numbered,
    read_numbered,
    write_numbered,
)
from posemill.storage.pose_group import PoseGroup, write_group
from posemill.storage.pose_mending import Remainder, remainder
from posemill.storage.pose_records import (
    ShardCommit,
    VideoEntry,
    VideoRecord,
    commit_from_json,
    commit_to_json,
)
from posemill.storage.store_base import Store
from posemill.storage.store_parts import METADATA, PLAN, group_metadata
from posemill.storage.store_root import already_there, create_store, require_same
from posemill.storage.videos import VideoTable
from posemill.transforms.sample import DenseKind, DenseMaps

__all__ = ["PlanTable", "PoseStore", "ShardCommit", "VideoEntry", "VideoRecord"]

SHARDS = "shards"
_HINT = "catalog_hint"
_OPEN_GROUPS = 64  # of about 150 KiB each, where a group has 256 videos
_GROUP = re.compile(r"s(\d{6,})\.g(\d{3,})-[0-9a-f]{12}")


class PoseStore(Store[ShardCommit]):
    """A pose store on a disk or in a bucket; cheap to pickle and to open again in a worker."""

    kind = POSES_KIND
    schema_version = POSES_SCHEMA_VERSION

    def __init__(self, objects: Objects, attributes: Mapping[str, Any]) -> None:
        """Use `create`, `open` or `open_or_create`."""
        super().__init__(objects, attributes)
        self.catalog_hint: str | None = attributes.get(_HINT)
        """Where the catalog was when the store was made; no part of the configuration."""
        self._snapshot: dict[str, VideoEntry] = {}
        self._frozen_plans = NumberedTables(objects.at(PLAN))
        self._open_group = lru_cache(maxsize=_OPEN_GROUPS)(self._open_checked_group)
        self._open_dense = lru_cache(maxsize=_OPEN_GROUPS)(self._open_dense_group)

    @classmethod
    def create(
        cls,
        place: Place,
        configuration: Mapping[str, Any],
        *,
        catalog_hint: str | None = None,
    ) -> PoseStore:
        """A new, empty store.

        Raises:
            InputError: something is there, or it cannot be written there.
        """
        if not cls._create(place, configuration, catalog_hint):
            raise already_there(place)
        return cls.open(place)

    @classmethod
    def open_or_create(
        cls,
        place: Place,
        configuration: Mapping[str, Any],
        *,
        catalog_hint: str | None = None,
    ) -> PoseStore:
        """The store at `place`, made first where nothing is there.

        Raises:
            ConfigurationMismatch: it was made with another configuration.
            InputError: something else is there, or it cannot be written there.
        """
        # Where another process is first, its store is the one to go on with.
        cls._create(place, configuration, catalog_hint)
        store = cls.open(place)
        store.require_configuration(configuration)
        return store

    @classmethod
    def _create(
        cls, place: Place, configuration: Mapping[str, Any], catalog_hint: str | None
    ) -> bool:
        attributes = cls._describe(configuration, {_HINT: catalog_hint})
        shards = f"{SHARDS}/{METADATA}"
        files = {shards: group_metadata({}), METADATA: group_metadata(attributes)}
        return create_store(place, files)

    def require_configuration(self, configuration: Mapping[str, Any]) -> None:
        """Refuse to go on in a store that was made in another way.

        Raises:
            ConfigurationMismatch: with a line for every difference.
        """
        require_same(self.url, configuration, self.configuration)

    def plans(self) -> list[PlanTable]:
        """All plans, in order.

        Raises:
            StoreCorrupted: one is lost or damaged.
            EnvironmentFault: one cannot be read.
        """
        committed = self.records()  # the first: a shard is committed after it is planned
        part = self.objects.at(PLAN)
        plans = [plan_from_table(*numbered) for numbered in enumerate(read_numbered(part))]
        require_planned(part.url, plans, committed)
        return plans

    def shard_videos(self, shard_id: int) -> tuple[Video, ...]:
        """The videos that are planned for a shard, in order; reads each plan once.

        Raises:
            InputError: no plan has the shard.
            StoreCorrupted: a plan is lost or damaged.
            EnvironmentFault: one cannot be read.
        """
        table = self._frozen_plans.find(of_shard(shard_id))
        if table is None:
            raise InputError(
                f"{self.url}: no plan has a shard {shard_id}. Run `posemill extract` with the "
                "catalog first."
            )
        return tuple(VideoTable(table))

    def add_plan(self, number: int, plan: PlanTable) -> bool:
        """Freeze a plan; False where a plan of that number is there already.

        Raises:
            ValueError: the number is not the next one, or not the plan's.
            EnvironmentFault: the disk refuses.
        """
        known = count_numbered(self.objects.at(PLAN))
        if number != plan.number or number > known:
            raise ValueError(f"the next plan is number {known}, got {number} (plan {plan.number})")
        with disk_faults(self.url):
            return write_numbered(self.objects.at(PLAN), number, plan_to_table(plan))

    def committed(self) -> dict[int, ShardCommit]:
        """The commit of the highest generation of every committed shard; one listing.

        Raises:
            StoreCorrupted: a commit record was altered.
        """
        return self._latest_commits()

    def is_committed(self, shard_id: int, generation: int) -> bool:
        """Whether somebody has committed this generation of a shard."""
        return self._is_committed(RecordName(shard_id, generation))

    def has_3d(self) -> bool:
        """Whether a committed video has 3-D poses; reads commits only."""
        array = f"{XYZ_M.name}/{METADATA}"
        commits = self.committed().values()
        return any(array in files for commit in commits for files in commit.files.values())

    def entries(self) -> dict[str, VideoEntry]:
        """What is known of every committed video, by its id."""
        commits = self.committed().values()
        self._snapshot = {entry.video_id: entry for commit in commits for entry in commit.entries}
        return dict(self._snapshot)

    def write_shard(
        self,
        shard_id: int,
        records: Sequence[VideoRecord],
        *,
        generation: int = 0,
        attempt: Attempt | None = None,
    ) -> bool:
        """Write a shard's videos, in plan order, and commit them.

        A later generation takes only the videos that changed; the others are
        carried over from the generation before it. Returns True where this
        call's commit counts, False where another one was first; then nothing
        of this call stays. The commit tells of the `attempt` that made the records.

        Raises:
            ValueError: no videos, one given twice, or one that the earlier
                generation does not know.
            InputError: poses of two skeletons, or the generation before is missing.
            EnvironmentFault: the disk refuses; nothing was committed.
        """
        _require_distinct(shard_id, records)
        base = self._base(shard_id, records, generation)
        name = RecordName(shard_id, generation)
        if self._is_committed(name):
            return False
        group = group_name(name)
        try:
            with disk_faults(self.url):
                commit = self._write_group(name, group, records, base)
                commit = replace(commit, attempt=attempt)
        except BaseException as error:
            self._drop(group)
            # `gc` may have taken, while it was written, what had lost already.
            if isinstance(error, EnvironmentFault) and self._is_committed(name):
                return False
            raise
        with disk_faults(self.url):
            # Where this raises, the record may be there all the same: `gc` finds out.
            won = self._publish(name, commit_to_json(commit))
        if not won:
            self._drop(group)
        return won

    def supersede(self, commit: ShardCommit) -> bool:
        """Commit a generation of a shard that brings no data of its own.

        False where another process committed that generation first.

        Raises:
            EnvironmentFault: the disk refuses.
        """
        with disk_faults(self.url):
            return self._publish(commit.record, commit_to_json(commit))

    def remainders(self) -> dict[int, Remainder]:
        """Per shard with void videos what is to be made again.

        Reads only records of a later generation than the first, which are few: no
        other can have any.

        Raises:
            StoreCorrupted: a commit record was altered.
        """
        later = [name for name in self.records().values() if name.generation > 0]
        found = {name.shard_id: remainder(self.commit(name)) for name in later}
        return {shard: left for shard, left in found.items() if left is not None}

    def read(self, video: str | VideoEntry) -> PoseSequence:
        """The poses of a video.

        Args:
            video: an id, or an entry of a commit, whatever was committed since.

        Raises:
            InputError: the store has no such video, or no poses of it.
            StoreCorrupted: its files are missing or have another size.
        """
        entry = self._entry_with_frames(video) if isinstance(video, str) else video
        return self._open_group(entry.shard_id, entry.group).read(entry.position)

    def read_dense(
        self,
        video: str | VideoEntry,
        kinds: Collection[DenseKind] | None = None,
        frames: Int64 | None = None,
    ) -> DenseMaps:
        """The dense maps of a video, in float16, to be read when they are indexed.

        Args:
            video: an id, or an entry of a commit, whatever was committed since.
            kinds: None takes all that were kept.
            frames: rising numbers of the frames to take; None takes all.

        Raises:
            InputError: the store has no such video, or keeps no such maps of it.
            ValueError: frames that do not rise, or that the video has not.
            StoreCorrupted: its files are missing or damaged; so does indexing.
        """
        entry = self._entry_with_frames(video) if isinstance(video, str) else video
        return self._open_dense(entry.shard_id, entry.group).read(entry.position, kinds, frames)

    def dense_kinds(self, entry: VideoEntry) -> tuple[DenseKind, ...]:
        """Of which there are dense maps of a video."""
        if not entry.status.has_frames:
            return ()
        return self._open_dense(entry.shard_id, entry.group).kinds(entry.position)

    def _entry_with_frames(self, video_id: str) -> VideoEntry:
        if video_id not in self._snapshot:
            self.entries()
        entry = self._snapshot.get(video_id)
        if entry is None:
            raise InputError(f"{self.url}: has no video {video_id!r}. Extract it first.")
        if not entry.status.has_frames:
            raise InputError(
                f"{self.url}: video {video_id!r} is {entry.status} "
                f"({entry.reason or 'no reason given'}), so it has no poses. Leave it out."
            )
        return entry

    def current(self, shard_id: int) -> ShardCommit:
        """The commit of a shard's highest generation; reads no other shard's.

        Raises:
            InputError: the shard is not committed.
            StoreCorrupted: the commit record was altered.
        """
        name = self.records().get(shard_id)
        if name is None:
            raise InputError(f"{self.url}: shard {shard_id} is not committed. Extract it first.")
        return self.commit(name)

    def iter_shard(self, commit: ShardCommit) -> Iterator[tuple[VideoEntry, PoseSequence | None]]:
        """Every video of a commit, in plan order, with its poses where it has some.

        Whatever was committed since then, so that what is made of them is of this commit.

        Raises:
            StoreCorrupted: its files are missing or damaged.
        """
        self.verify_files(commit)
        groups = {name: PoseGroup(self._group(name), whole=True) for name in commit.files}
        for entry in commit.entries:
            held = entry.status.has_frames
            yield entry, groups[entry.group].read(entry.position) if held else None

    def verify_files(self, commit: ShardCommit) -> None:
        """Check that a commit's poses are there in their committed sizes.

        A missing array file would otherwise read as zeros, without an error. Of dense maps,
        which may be thousands of files, what is read is checked then.

        Raises:
            StoreCorrupted: naming the files.
        """
        for group, files in commit.files.items():
            check_files(self._group(group), _poses_of(files), content=False)

    @staticmethod
    def _parse_commit(body: Mapping[str, Any], marker_sha256: str) -> ShardCommit:
        return commit_from_json(body, marker_sha256)

    def _base(
        self, shard_id: int, records: Sequence[VideoRecord], generation: int
    ) -> ShardCommit | None:
        if generation == 0:
            return None
        name = RecordName(shard_id, generation - 1)
        if not self._is_committed(name):
            raise InputError(
                f"{self.url}: generation {generation} of shard {shard_id} needs generation "
                f"{generation - 1}, which is not committed. Extract the shard first."
            )
        base = self.commit(name)
        known = {entry.video_id for entry in base.entries}
        if unknown := [record.video_id for record in records if record.video_id not in known]:
            raise ValueError(f"shard {shard_id} has no videos {unknown[:5]}")
        return base

    def _write_group(
        self,
        name: RecordName,
        group: str,
        records: Sequence[VideoRecord],
        base: ShardCommit | None,
    ) -> ShardCommit:
        written = write_group(self._group(group), records, name.generation)
        pointers = written.row_ptr
        entries = [
            _entry(record, name.shard_id, group, position, pointers[position : position + 2])
            for position, record in enumerate(records)
        ]
        dense = write_dense(self._group(group), records)
        files: dict[str, Mapping[str, FileRecord]] = {group: record_files(written.files) | dense}
        if base is not None:
            fresh = {entry.video_id: entry for entry in entries}
            entries = [fresh.get(entry.video_id, entry) for entry in base.entries]
            files = {**base.files, **files}
        used = {entry.group for entry in entries}
        return ShardCommit(
            shard_id=name.shard_id,
            generation=name.generation,
            configuration_hash=self.configuration_hash,
            entries=tuple(entries),
            files={key: value for key, value in files.items() if key in used},
        )

    def _group(self, name: str) -> Objects:
        return self.objects.at(SHARDS, name)

    def _drop(self, group: str) -> None:
        """Remove the data of an attempt that nobody will read; what cannot be removed stays."""
        with suppress(OSError, EnvironmentFault):
            self._group(group).delete_tree()

    def _open_checked_group(self, shard_id: int, group: str) -> PoseGroup:
        objects = self._group(group)
        check_files(objects, _poses_of(self._files_of(shard_id, group)), content=False)
        return PoseGroup(objects)

    def _open_dense_group(self, shard_id: int, group: str) -> DenseGroup:
        return DenseGroup(self._group(group), self._files_of(shard_id, group))

    def _files_of(self, shard_id: int, group: str) -> Mapping[str, FileRecord]:
        """From the latest record that names the group: a reader may know an older generation."""
        for generation in range(self.current(shard_id).generation, -1, -1):
            commit = self.commit(RecordName(shard_id, generation))
            if group in commit.files:
                return commit.files[group]
        raise StoreCorrupted(
            f"{self.url}: no record of shard {shard_id} names {group}. Restore `commits/` "
            "from a backup, or make the store again."
        )


def group_name(attempt: RecordName) -> str:
    """A name for the data of an attempt, which nobody else has: tells what it may become."""
    return f"s{attempt.shard_id:06d}.g{attempt.generation:03d}-{uuid.uuid4().hex[:12]}"


def attempt_of(group: str) -> RecordName | None:
    """The inverse of `group_name`; None where it is not the name of a group."""
    match = _GROUP.fullmatch(group)
    return RecordName(int(match[1]), int(match[2])) if match else None


def _poses_of(files: Mapping[str, FileRecord]) -> dict[str, FileRecord]:
    """The files of a group but for those of dense maps."""
    return {name: file for name, file in files.items() if not is_dense(name)}


def _require_distinct(shard_id: int, records: Sequence[VideoRecord]) -> None:
    ids = [record.video_id for record in records]
    if not ids or len(set(ids)) != len(ids):
        raise ValueError(f"shard {shard_id}: needs videos, each once, got {ids[:5]}")


def _entry(
    record: VideoRecord, shard_id: int, group: str, position: int, bounds: Int64
) -> VideoEntry:
    return VideoEntry(
        video_id=record.video_id,
        status=record.status,
        reason=record.reason,
        message=record.message,
        identity=record.identity,
        frames_decoded=record.frames_decoded,
        frames_declared=record.frames_declared,
        pts_source=record.pts_source,
        shard_id=shard_id,
        group=group,
        position=position,
        rows=(int(bounds[0]), int(bounds[1])),
    )
