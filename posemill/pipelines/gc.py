"""Removes what nobody will ever read of a store; see `storage.garbage` for what that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from posemill.storage.any_store import open_store
from posemill.storage.garbage import Garbage, find_garbage, remove_garbage
from posemill.storage.objects import Place


@dataclass(frozen=True, slots=True)
class GcReport:
    """What was removed, or would be."""

    garbage: tuple[Garbage, ...]
    removed: bool

    @property
    def num_bytes(self) -> int:
        return sum(each.num_bytes for each in self.garbage)

    def as_dict(self) -> dict[str, Any]:
        return {
            "removed": self.removed,
            "bytes": self.num_bytes,
            "garbage": [{"name": each.name, "bytes": each.num_bytes} for each in self.garbage],
        }


def collect_garbage(place: Place, *, dry_run: bool) -> GcReport:
    """Remove lost attempts' data and drafts of a pose or feature store; never a record.

    May run at any time, beside any job on the store.

    Raises:
        InputError: no store is at `place`.
        EnvironmentFault: something cannot be read or removed.
    """
    store = open_store(place)
    garbage = find_garbage(store)
    if not dry_run:
        for each in garbage:
            remove_garbage(store, each)
    return GcReport(tuple(garbage), removed=not dry_run)
