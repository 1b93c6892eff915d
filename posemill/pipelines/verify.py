"""Checks a store to the last byte, and commits what is damaged as to be made again.

It plans and sums up; `verify_shard` looks at the shards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

import numpy as np

from posemill.errors import DiskRefused, StoreCorrupted
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions, OnEvent
from posemill.pipelines.events import StageEnded, StageStarted
from posemill.pipelines.tasks import ShardResult, ShardTask, WorkerSpec
from posemill.pipelines.verify_findings import Findings, look
from posemill.storage import feature_checks
from posemill.storage.any_store import open_store
from posemill.storage.commits import RecordName
from posemill.storage.damage import Damage
from posemill.storage.features import FeatureStore
from posemill.storage.objects import Place
from posemill.storage.part_checks import check_parts
from posemill.storage.poses import PoseStore
from posemill.storage.store_parts import COMMITS, METADATA, PLAN

STAGE = "verify"
WORKER = "posemill.pipelines.verify_shard:VerifyWorker"
DEFAULT_OPTIONS = EngineOptions(workers=4)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a store holds, what of it is damaged, and what became of that."""

    kind: str
    num_shards: int
    """Planned shards; of features, pose shards that own rows."""
    num_shards_to_do: int
    """Not made yet, or void: no damage, the next run makes them."""
    num_files: int
    num_bytes: int
    damages: tuple[Damage, ...]
    superseded: tuple[str, ...]
    """Damaged records that a later generation has taken the place of: nobody needs them."""
    num_mended: int
    """Shards that are now void, so that the next run makes them again."""
    num_damaged: int
    """Parts of the store, shards for instance, that are damaged."""
    num_irreparable: int
    """Those of them that no repair can mend."""

    @property
    def is_whole(self) -> bool:
        """Nothing is damaged, or all that was is mended."""
        return self.num_mended == self.num_damaged

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "whole": self.is_whole,
            "shards": self.num_shards,
            "shards_to_do": self.num_shards_to_do,
            "files": self.num_files,
            "bytes": self.num_bytes,
            "damages": [damage.as_dict() for damage in self.damages],
            "superseded_records_damaged": list(self.superseded),
            "mended": self.num_mended,
            "irreparable": self.num_irreparable,
        }


@dataclass(frozen=True, slots=True)
class _Work:
    """The committed shards of a store, and what was found before any of them is looked at."""

    planned: frozenset[int] = frozenset()
    latest: Mapping[int, RecordName] = field(default_factory=dict)
    """Of each committed shard."""
    to_check: tuple[RecordName, ...] = ()
    """None where what they should be cannot be told."""
    has_plans: bool = True
    before: tuple[Findings, ...] = ()


def verify(
    place: Place,
    *,
    repair: bool = False,
    engine: str = "local",
    engine_options: EngineOptions = DEFAULT_OPTIONS,
    on_event: OnEvent,
) -> VerifyReport:
    """Check a pose or feature store; with `repair`, commit the damaged parts as void.

    Records are never removed or changed: a repair is one of the next generation. A shard
    that could not be looked at to the end is told as damaged.

    Raises:
        InputError: no store is at `place`, or the engine cannot be used.
        StoreCorrupted: its root or its folder of records is not readable.
        EnvironmentFault: an object store fails, a disk refuses what all else depends on,
            or to be written to, or no worker is left.
    """
    runner = create_engine(engine, engine_options)
    store = open_store(place)
    parts = [Findings.of(checked, repair=repair) for checked in check_parts(store)]
    if not all(part.mended for part in parts):
        return _report(store, _Work(), parts)  # what they hold cannot be looked at
    work = _pose_work(store) if isinstance(store, PoseStore) else _feature_work(store, repair)
    tasks = [ShardTask(STAGE, n.shard_id, 1, 1.0, n.generation) for n in work.to_check]
    worker = WorkerSpec(
        WORKER,
        {"place": store.objects.absolute_url, "repair": repair, "has_plans": work.has_plans},
        in_threads=True,
    )
    started = monotonic()
    on_event(StageStarted(STAGE, len(tasks), len(tasks)))
    results = runner.run(tasks, worker, on_event, store.mailbox).results
    on_event(StageEnded(STAGE, monotonic() - started))
    shards = map(_findings, work.to_check, results)
    return _report(store, work, [*parts, *work.before, *shards])


def _findings(name: RecordName, result: ShardResult) -> Findings:
    if result.findings is not None:
        return Findings.from_dict(result.findings)
    return Findings.unknown(f"{COMMITS}/{name}", f"was not looked at to the end: {result.message}")


def _report(
    store: PoseStore | FeatureStore, work: _Work, found: Sequence[Findings]
) -> VerifyReport:
    return VerifyReport(
        kind="poses" if isinstance(store, PoseStore) else "features",
        num_shards=len(work.planned | set(work.latest)),
        num_shards_to_do=len(work.planned - set(work.latest)) + sum(each.to_do for each in found),
        num_files=sum(each.num_files for each in found),
        num_bytes=sum(each.num_bytes for each in found),
        damages=tuple(damage for each in found for damage in each.damages),
        superseded=_superseded(store, work.latest),
        num_mended=sum(each.mended for each in found),
        num_damaged=sum(bool(each.damages) for each in found),
        num_irreparable=sum(each.is_irreparable for each in found),
    )


def _pose_work(store: PoseStore) -> _Work:
    planned: frozenset[int] = frozenset()
    before: tuple[Findings, ...] = ()
    try:
        plans = store.plans()
    except (StoreCorrupted, DiskRefused) as error:
        before = (Findings.unknown(PLAN, str(error)),)
    else:
        planned = frozenset(s for plan in plans for s in np.unique(plan.shard_id).tolist())
    latest = store.records()
    return _Work(planned, latest, tuple(latest.values()), not before, before)


def _feature_work(store: FeatureStore, repair: bool) -> _Work:
    latest = store.records()
    plan = feature_checks.check_plan(store, latest)
    if plan.damages:  # what rows there are cannot be told
        return _Work(latest=latest, before=(Findings.of(plan, repair=False),))
    planned = frozenset(row.pose_shard for row in store.rows() if row is not None)
    shared = look(METADATA, partial(feature_checks.check_shared, store), repair=repair)
    return _Work(planned, latest, tuple(latest.values()), before=(shared,))


def _superseded(
    store: PoseStore | FeatureStore, latest: Mapping[int, RecordName]
) -> tuple[str, ...]:
    damaged = []
    for name in store.all_records() if latest else ():
        if name < latest.get(name.shard_id, name):
            try:
                store.commit(name)
            except (StoreCorrupted, DiskRefused):
                damaged.append(f"{COMMITS}/{name}")
    return tuple(damaged)
