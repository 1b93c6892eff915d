"""Checks one committed shard of a store, and with a repair has what is damaged made again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic

from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask
from posemill.pipelines.verify_findings import Findings, look
from posemill.storage import feature_checks, pose_checks
from posemill.storage.any_store import open_store
from posemill.storage.commits import RecordName
from posemill.storage.damage import Checked
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore
from posemill.storage.store_parts import COMMITS


class VerifyWorker:
    """Checks shards; satisfies `tasks.ShardWorker`.

    A task's generation is that of the record to be checked. Whoever else mended the shard
    meanwhile, or a lost attempt before this one, may have been first: it is mended all the same.
    """

    def __init__(self, place: Place, *, repair: bool, has_plans: bool) -> None:
        """`has_plans`: a pose store's plans are all there, and tell which videos a shard has."""
        self._store = open_store(place)
        self._repair, self._has_plans = repair, has_plans

    def ready(self) -> None:
        """The store is there; a repair can write to it."""
        if self._repair:
            self._store.prove_writable()

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        began = monotonic()
        name = RecordName(task.shard_id, task.generation)
        emit(ItemStarted(task.shard_id, str(name)))
        findings = self._look(name, repair=self._repair)
        if self._repair and findings.can_be_mended and not findings.mended:
            findings = replace(findings, mended=self._is_whole_by_now(task.shard_id))
        status = "damaged" if findings.damages else "whole"
        emit(ItemDone(task.shard_id, str(name), status, num_frames=0))
        return ShardResult(
            shard_id=task.shard_id,
            outcome=ShardOutcome.VERIFIED,
            num_items=task.num_items,
            seconds=monotonic() - began,
            findings=findings.as_dict(),
        )

    def close(self) -> None:
        """It holds nothing that outlives it."""

    def _look(self, name: RecordName, *, repair: bool) -> Findings:
        return look(f"{COMMITS}/{name}", partial(self._check, name), repair=repair)

    def _is_whole_by_now(self, shard_id: int) -> bool:
        latest = self._store.records().get(shard_id)
        return latest is not None and not self._look(latest, repair=False).damages

    def _check(self, name: RecordName) -> Checked:
        if not isinstance(self._store, PoseStore):
            return feature_checks.check_shard(self._store, name)
        videos = self._store.shard_videos(name.shard_id) if self._has_plans else ()
        return pose_checks.check_shard(self._store, name, videos)
