"""How features come to be committed, and are found to be as they were committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from time import monotonic
from typing import Any

from posemill.provenance import Attempt
from posemill.storage import feature_arrays
from posemill.storage.commits import FileRecord, RecordName, file_problems
from posemill.storage.durable import disk_faults
from posemill.storage.feature_attempts import Overtaken, WriteAttempt, signs_in
from posemill.storage.feature_plan import RowPlan
from posemill.storage.feature_records import (
    FeatureCommit,
    Unmade,
    commit_from_json,
    commit_to_json,
)
from posemill.storage.feature_state import FeatureState, read_state
from posemill.storage.feature_writing import Block, ShardWriter, invalidate
from posemill.storage.objects import Objects
from posemill.storage.store_base import Store
from posemill.storage.store_parts import names_in


class FeatureCommits(Store[FeatureCommit]):
    """What a feature store has of every pose shard, and the protocol by which that changes."""

    def __init__(self, objects: Objects, attributes: Mapping[str, Any]) -> None:
        """Use `FeatureStore`."""
        super().__init__(objects, attributes)
        self.specs = feature_arrays.specs_from_json(attributes["specs"])
        self.clips_per_shard: int = attributes["clips_per_shard"]
        """A pose shard owns a multiple of so many rows."""
        self._plan = RowPlan(objects, attributes, self.specs, self.clips_per_shard)

    @property
    def num_rows(self) -> int:
        """R: all rows, padding included."""
        return len(self._plan.table.rows)

    def row_range(self, pose_shard: int) -> tuple[int, int]:
        """The rows `[start, stop)` that a pose shard owns, padding included.

        Raises:
            InputError: it owns none.
        """
        return self._plan.range_of(pose_shard)

    def committed(self) -> dict[int, FeatureCommit]:
        """The latest commit of every pose shard whose features are there; one listing.

        Raises:
            StoreCorrupted: a commit record was altered.
        """
        commits = self._latest_commits()
        return {shard: commit for shard, commit in commits.items() if not commit.void}

    def write_shard(
        self,
        pose_shard: int,
        pose_marker_sha256: str,
        blocks: Iterable[Block],
        unmade: Callable[[], Mapping[str, Unmade]] = dict,
        generation: int = 0,
    ) -> bool:
        """Write the features of all clips of a pose shard, in row order, and commit them.

        A block holds the next `clips_per_shard` clips, the last one those that
        are left. It is written before the next one is taken, so that they may
        be made one by one. After the last one `unmade` tells which clips of rows that are
        not valid another attempt may make.

        Where the shard was committed from another state of its poses, or is not as it was
        committed, it is written again as the next generation. Returns False where the very
        same commit is there already (then no block is taken) or another writer is first.
        What that writer committed and this one has changed is declared void: ask `is_made`.
        With a `generation` an earlier commit is none, however whole it is.

        Raises:
            ValueError: blocks of other clips, shapes or dtypes than declared, or too
                few or many of them; nothing was committed.
            InputError: the pose shard owns no rows.
            EnvironmentFault: the disk refuses; nothing was committed.
        """
        started = monotonic()
        rows = self.row_range(pose_shard)
        name = self._next_record(pose_shard, pose_marker_sha256, generation)
        if name is None:
            return False
        attempt = WriteAttempt(self._commits_part, name, pose_marker_sha256, self._newest)
        try:
            files = self._write_blocks(attempt, rows, blocks, overwrites=name.generation > 0)
        except Overtaken:
            won = False
        else:
            commit = FeatureCommit(
                pose_shard=pose_shard,
                generation=name.generation,
                configuration_hash=self.configuration_hash,
                pose_marker_sha256=pose_marker_sha256,
                rows=rows,
                files=files,
                unmade=unmade(),
                attempt=Attempt.ended_now(monotonic() - started, self._num_clips(rows)),
            )
            with disk_faults(self.url):
                won = self._publish(name, commit_to_json(commit))
        if attempt.has_begun and not won:
            self._settle(name)
        with disk_faults(self.url):
            attempt.end()
        return won

    def is_made(self, pose_shard: int, pose_marker_sha256: str, generation: int = 0) -> bool:
        """Whether a pose shard's features are there, of this state, and as they were committed,
        in this generation or a later one.

        Raises:
            EnvironmentFault: the store cannot be read.
        """
        return self._next_record(pose_shard, pose_marker_sha256, generation) is None

    def void(self, commit: FeatureCommit) -> bool:
        """Declare a damaged commit void, so that its pose shard is written again.

        False where a later commit is there already; then nothing is touched.

        Raises:
            EnvironmentFault: the disk refuses.
        """
        voided = replace(
            commit, generation=commit.generation + 1, files={}, void=True, attempt=None
        )
        with disk_faults(self.url):
            if not self._publish(voided.record, commit_to_json(voided)):
                return False
            if not self._is_committed(_next_of(voided.record)):
                invalidate(self.objects, commit.rows, self.clips_per_shard)
        self._settle(_next_of(voided.record))
        return True

    def inspect(self, *, suspects: bool = False) -> FeatureState:
        """How far the rows that were read last are as they were committed.

        Reads of each pose shard its record and its `valid` objects, and two listings; with
        `suspects` also every byte of those that somebody may have written to since: whose
        attempts neither committed nor gave up.

        Raises:
            StoreCorrupted: a commit record was altered.
            EnvironmentFault: the store cannot be read.
        """
        committed = self.committed().items()
        commits = {shard: each for shard, each in committed if each.rows[1] <= self.num_rows}
        with disk_faults(self.url):
            sizes = self.objects.tree()
            signs = signs_in(sizes) if suspects else {}
            suspected = {name.shard_id for name in signs.values()}
            state = read_state(self.objects, commits, sizes, suspected)
        settled = [sign for sign, name in signs.items() if state.has_settled(name)]
        return replace(state, settled=tuple(settled))

    def forget_attempts(self, state: FeatureState) -> None:
        """Take away the signs of attempts that are known to have done no harm.

        Raises:
            EnvironmentFault: the disk refuses.
        """
        with disk_faults(self.url):
            if state.settled:
                self.objects.delete(*state.settled)

    def _num_clips(self, rows: tuple[int, int]) -> int:
        return sum(row is not None for row in self._plan.table.rows[slice(*rows)])

    def _write_blocks(
        self,
        attempt: WriteAttempt,
        rows: tuple[int, int],
        blocks: Iterable[Block],
        *,
        overwrites: bool,
    ) -> dict[str, FileRecord]:
        writer = ShardWriter(
            self.objects,
            self.specs,
            rows,
            self._num_clips(rows),
            self.clips_per_shard,
            attempt,
            overwrites=overwrites,
        )
        for block in blocks:
            with disk_faults(self.url):
                writer.write(block)
            del block  # else it is in memory while the next one is made
        with disk_faults(self.url):
            return writer.finish()

    def _settle(self, name: RecordName) -> None:
        """Have made again what a lost attempt changed: committed as `name` or later."""
        while (found := self._newest(name)) is not None and not found.void:
            if not file_problems(self.objects, found.files, content=True) or self.void(found):
                return

    def _newest(self, name: RecordName) -> FeatureCommit | None:
        """The latest commit from this generation on; no listing."""
        newest = None
        while self._is_committed(name):
            newest, name = name, _next_of(name)
        return None if newest is None else self.commit(newest)

    def _next_record(
        self, pose_shard: int, pose_marker_sha256: str, generation: int
    ) -> RecordName | None:
        latest = self.records().get(pose_shard)
        if latest is None:
            return RecordName(pose_shard, 0)
        commit = self.commit(latest)
        is_late_enough = commit.generation >= generation
        if is_late_enough and commit.is_of(pose_marker_sha256) and self._is_whole(commit):
            return None
        return _next_of(latest)

    def _is_whole(self, commit: FeatureCommit) -> bool:
        signs = signs_in(names_in(self._commits_part)).values()
        suspects = {name.shard_id for name in signs}
        with disk_faults(self.url):
            sizes = self.objects.sizes(commit.files)
            shards = {commit.pose_shard: commit}
            return not read_state(self.objects, shards, sizes, suspects).problems

    @staticmethod
    def _parse_commit(body: Mapping[str, Any], _: str) -> FeatureCommit:
        return commit_from_json(body)


def _next_of(name: RecordName) -> RecordName:
    return RecordName(name.shard_id, name.generation + 1)
