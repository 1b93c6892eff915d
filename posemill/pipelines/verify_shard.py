"""Checks one committed shard of a store, and with a repair has what is damaged made again."""

from __future__ import annotations

from functools import partial
from time import monotonic

from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask
from posemill.pipelines.verify_findings import look
from posemill.storage import feature_checks, pose_checks
from posemill.storage.any_store import open_store
from posemill.storage.commits import RecordName
from posemill.storage.damage import Checked
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore
from posemill.storage.store_parts import COMMITS


class VerifyWorker:
    """Checks shards; satisfies `tasks.ShardWorker`.

    A task's generation is that of the record to be checked. A shard that was mended and whose
    worker is then lost is checked again, and told as one at which another repair was first.
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
        findings = look(f"{COMMITS}/{name}", partial(self._check, name), repair=self._repair)
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

    def _check(self, name: RecordName) -> Checked:
        if not isinstance(self._store, PoseStore):
            return feature_checks.check_shard(self._store, name)
        videos = self._store.shard_videos(name.shard_id) if self._has_plans else ()
        return pose_checks.check_shard(self._store, name, videos)
