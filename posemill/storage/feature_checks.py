"""Checks the features of a pose shard to the last byte and row, and what all rows share."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from posemill.errors import DiskRefused, InputError, StoreCorrupted
from posemill.storage.commits import RecordName, file_problems
from posemill.storage.damage import Checked, Damage
from posemill.storage.durable import disk_faults
from posemill.storage.feature_arrays import VALID, visible_rows
from posemill.storage.feature_records import FeatureCommit
from posemill.storage.features import FeatureStore
from posemill.storage.store_parts import COMMITS, METADATA, PLAN


def check_shard(store: FeatureStore, name: RecordName) -> Checked:
    """Compare a pose shard's latest record, every object it names and its rows.

    Raises:
        EnvironmentFault: something there cannot be read.
    """
    try:
        commit = store.commit(name)
    except StoreCorrupted:
        return _unreadable(store, name)
    if commit.void:
        return Checked(to_do=True)
    damages = (*_misplaced(store, commit), *_damages(store, commit))
    return Checked(
        damages=damages,
        num_files=len(commit.files),
        num_bytes=sum(file.num_bytes for file in commit.files.values()),
        mend=partial(store.void, commit) if damages else None,
    )


def check_plan(store: FeatureStore, committed: Collection[int]) -> Checked:
    """Notice a lost plan by its rows: pose shards in `committed`, or the length of the arrays.

    What only that plan told cannot be made up again, so nothing here can be mended.

    Raises:
        EnvironmentFault: something there cannot be read.
    """
    visible = _visible_rows(store)  # the first: rows are planned before they show
    try:
        rows = store.rows()
    except (StoreCorrupted, DiskRefused) as error:
        return Checked((Damage(PLAN, str(error)),))
    lost = sorted(set(committed) - {row.pose_shard for row in rows if row is not None})
    if not lost and visible <= len(rows):
        return Checked()
    shards = f", and the committed pose shards {', '.join(map(str, lost))} are in none"
    problem = (
        f"the plans have {len(rows)} rows, the arrays {visible}{shards if lost else ''}, so a plan "
        "is lost. Restore it from a backup, or make the store again"
    )
    return Checked((Damage(PLAN, problem),))


def _visible_rows(store: FeatureStore) -> int:
    """As the root tells; 0 where it is damaged, which `check_shared` finds."""
    with disk_faults(store.url):
        root = store.objects.read(METADATA)
    try:
        return visible_rows(root)
    except (ValueError, LookupError, TypeError):
        return 0


def check_shared(store: FeatureStore) -> Checked:
    """Compare what the driver writes for all rows (ids, labels, subsets) with the plan."""
    problems = store.index_problems()
    return Checked(
        damages=tuple(Damage(place, problem) for place, problem in problems.items()),
        num_files=0,
        mend=store.rewrite_index if problems else None,
    )


def _unreadable(store: FeatureStore, name: RecordName) -> Checked:
    rows = _planned_rows(store, name.shard_id)
    damage = Damage(
        f"{COMMITS}/{name}", "was altered or cut short", _clips(store, *rows) if rows else ()
    )
    if rows is None:
        return Checked(damages=(damage,))
    lost = FeatureCommit(
        pose_shard=name.shard_id,
        generation=name.generation,
        configuration_hash=store.configuration_hash,
        pose_marker_sha256="",
        rows=rows,
        files={},
    )
    return Checked(damages=(damage,), mend=partial(store.void, lost))


def _misplaced(store: FeatureStore, commit: FeatureCommit) -> Iterator[Damage]:
    planned = _planned_rows(store, commit.pose_shard)
    if commit.rows != planned:
        yield Damage(
            f"{COMMITS}/{commit.record}",
            f"is of the rows {commit.rows}, the plan has {planned}",
            _clips(store, *commit.rows),
        )


def _damages(store: FeatureStore, commit: FeatureCommit) -> Iterator[Damage]:
    for path, problem in file_problems(store.objects, commit.files, content=True).items():
        yield Damage(path, problem, _clips_in(store, path))
    for path in store.row_objects(VALID, commit.rows):
        # Rows that are all invalid have no object; one that came to be there claims they are.
        if path not in commit.files and store.objects.size(path) is not None:
            yield Damage(
                path, "is there, and no such row was committed as valid", _clips_in(store, path)
            )


def _planned_rows(store: FeatureStore, pose_shard: int) -> tuple[int, int] | None:
    try:
        return store.row_range(pose_shard)
    except InputError:
        return None


def _clips_in(store: FeatureStore, path: str) -> tuple[str, ...]:
    """The clips of an object, e.g. `volume/c/3/0/0/0/0`: of whole shards of rows."""
    number = int(path.split("/")[2])
    return _clips(store, number * store.clips_per_shard, (number + 1) * store.clips_per_shard)


def _clips(store: FeatureStore, start: int, stop: int) -> tuple[str, ...]:
    rows = store.rows()[start:stop]
    return tuple(row.clip_id for row in rows if row is not None)
