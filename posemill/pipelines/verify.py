"""Checks a store to the last byte, and commits what is damaged as to be made again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from posemill.errors import DiskRefused, InputError, StoreCorrupted
from posemill.schema import Video
from posemill.storage import feature_checks, pose_checks
from posemill.storage.commits import RecordName
from posemill.storage.damage import Checked, Damage
from posemill.storage.features import FeatureStore
from posemill.storage.layout import FEATURES_KIND, POSES_KIND
from posemill.storage.objects import Place
from posemill.storage.part_checks import check_parts
from posemill.storage.poses import PoseStore
from posemill.storage.store_parts import COMMITS, METADATA, PLAN
from posemill.storage.store_root import read_kind

OnProgress = Callable[[int, int], None]


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
    """The checks of a store: one of each committed shard, and what precedes them."""

    planned: frozenset[int] = frozenset()
    latest: Mapping[int, RecordName] = field(default_factory=dict)
    checks: Mapping[str, Callable[[], Checked]] = field(default_factory=dict)
    """By the place that each begins at."""
    before: tuple[Checked, ...] = ()


def verify(
    place: Place, *, repair: bool = False, workers: int = 4, on_progress: OnProgress
) -> VerifyReport:
    """Check a pose or feature store; with `repair`, commit the damaged parts as void.

    Records are never removed or changed: a repair is one of the next generation.

    Raises:
        InputError: no store is at `place`.
        StoreCorrupted: its root or its folder of records is not readable.
        EnvironmentFault: an object store fails, or a disk refuses what all else depends on,
            or to be written to.
    """
    store = open_store(place)
    parts = check_parts(store)
    mended = _mend(parts) if repair else 0
    if mended < len(parts):
        return _report(store, _Work(), parts, mended)  # what they hold cannot be looked at
    work = _pose_work(store) if isinstance(store, PoseStore) else _feature_work(store)
    found = [*parts, *work.before, *_run(work.checks, workers, on_progress)]
    if repair:
        mended += _mend(found[len(parts) :])
    return _report(store, work, found, mended)


def _mend(found: Iterable[Checked]) -> int:
    """How many could be mended, and were."""
    return sum([checked.mend() for checked in found if checked.mend is not None])


def _report(
    store: PoseStore | FeatureStore, work: _Work, found: Sequence[Checked], num_mended: int
) -> VerifyReport:
    return VerifyReport(
        kind="poses" if isinstance(store, PoseStore) else "features",
        num_shards=len(work.planned | set(work.latest)),
        num_shards_to_do=len(work.planned - set(work.latest)) + sum(c.to_do for c in found),
        num_files=sum(checked.num_files for checked in found),
        num_bytes=sum(checked.num_bytes for checked in found),
        damages=tuple(damage for checked in found for damage in checked.damages),
        superseded=_superseded(store, work.latest),
        num_mended=num_mended,
        num_damaged=sum(bool(checked.damages) for checked in found),
        num_irreparable=sum(bool(c.damages) and c.mend is None for c in found),
    )


def open_store(place: Place) -> PoseStore | FeatureStore:
    """The store at `place`, of whichever kind it is.

    Raises:
        InputError: there is none.
    """
    match read_kind(place):
        case kind if kind == POSES_KIND:
            return PoseStore.open(place)
        case kind if kind == FEATURES_KIND:
            return FeatureStore.open(place)
        case kind:
            raise InputError(
                f"{place}: expected a pose store or a feature store, found "
                f"{'none' if kind is None else repr(kind)}. Give the path of one, as made by "
                "`posemill extract` or `materialize`."
            )


def _pose_work(store: PoseStore) -> _Work:
    videos: dict[int, Sequence[Video]] = {}
    before = []
    try:
        for plan in store.plans():
            videos.update(plan.shards())
    except (StoreCorrupted, DiskRefused) as error:
        before.append(Checked(damages=(Damage(PLAN, str(error)),)))
    latest = store.records()
    checks = {
        f"{COMMITS}/{name}": partial(pose_checks.check_shard, store, name, videos.get(shard, ()))
        for shard, name in latest.items()
    }
    return _Work(frozenset(videos), latest, checks, tuple(before))


def _feature_work(store: FeatureStore) -> _Work:
    latest = store.records()
    plan = feature_checks.check_plan(store, latest)
    if plan.damages:
        return _Work(latest=latest, before=(plan,))  # what rows there are cannot be told
    planned = frozenset(row.pose_shard for row in store.rows() if row is not None)
    checks = {
        f"{COMMITS}/{name}": partial(feature_checks.check_shard, store, name)
        for name in latest.values()
    }
    shared = _checked(METADATA, partial(feature_checks.check_shared, store))
    return _Work(planned, latest, checks, (shared,))


def _run(
    checks: Mapping[str, Callable[[], Checked]], workers: int, on_progress: OnProgress
) -> Iterable[Checked]:
    """In threads: a check waits for the disk or a network."""
    on_progress(0, len(checks))
    with ThreadPoolExecutor(workers) as threads:
        found = threads.map(_checked, checks.keys(), checks.values())
        for done, checked in enumerate(found, start=1):
            on_progress(done, len(checks))
            yield checked


def _checked(place: str, check: Callable[[], Checked]) -> Checked:
    """Where the disk refuses something, that is told and not mended: it may be whole."""
    try:
        return check()
    except DiskRefused as error:
        return Checked((Damage(place, f"not all that it tells of can be read: {error}"),))


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
