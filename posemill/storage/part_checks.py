"""Checks the small files by which Zarr knows the parts of a store as groups."""

from __future__ import annotations

from functools import partial

from posemill.storage.damage import Checked, Damage
from posemill.storage.durable import disk_faults
from posemill.storage.features import FeatureStore
from posemill.storage.poses import SHARDS, PoseStore
from posemill.storage.store_parts import COMMITS, METADATA, PLAN, group_metadata


def check_parts(store: PoseStore | FeatureStore) -> tuple[Checked, ...]:
    """What is wrong with them: without one, a part does not count as whole.

    Where commits or plans are lost with all that was in them, nothing can be mended; lost
    shards are made again, as records and plans tell of them.

    Raises:
        EnvironmentFault: the disk refuses.
    """
    parts = (COMMITS, PLAN, SHARDS) if isinstance(store, PoseStore) else (COMMITS, PLAN)
    with disk_faults(store.objects.url):
        found = [_check_part(store, part) for part in parts]
    return tuple(checked for checked in found if checked.damages)


def _check_part(store: PoseStore | FeatureStore, part: str) -> Checked:
    place = f"{part}/{METADATA}"
    try:
        problem = "was altered" if store.objects.read(place) != group_metadata({}) else None
    except FileNotFoundError:
        problem = "is missing"
    if problem is None:
        return Checked()
    if store.objects.at(part).names():
        return Checked((Damage(place, problem),), mend=partial(_write, store, place))
    mend = partial(_write, store, place) if part == SHARDS else None
    return Checked((Damage(part, "is lost with all that was in it"),), mend=mend)


def _write(store: PoseStore | FeatureStore, place: str) -> bool:
    with disk_faults(store.objects.url):
        store.objects.write(place, group_metadata({}))
    return True
