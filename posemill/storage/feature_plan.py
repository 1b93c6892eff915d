"""The rows of a feature store: planned once, added to, and the arrays' growth to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.storage import feature_arrays
from posemill.storage.durable import disk_faults, locked
from posemill.storage.feature_rows import FeatureRow, RowTable, rows_from_table, rows_to_table
from posemill.storage.plans import read_numbered, write_numbered
from posemill.storage.store_root import PLAN
from posemill.transforms.outputs import OutputSpec

_GROWTH_LOCK = ".growing"


class RowPlan:
    """The plans of the store at `root`; reads them when first needed."""

    def __init__(self, root: Path, specs: Sequence[OutputSpec], clips_per_shard: int) -> None:
        self._root = root
        self._specs = specs
        self._clips_per_shard = clips_per_shard
        self._table: RowTable | None = None

    @property
    def table(self) -> RowTable:
        """As last read."""
        return self._table if self._table is not None else self.refresh()

    def refresh(self) -> RowTable:
        """All rows that are planned by now."""
        tables = read_numbered(self._root / PLAN)
        if self._table is None or len(tables) != len(self._table.plans):
            plans = tuple(rows_from_table(table) for table in tables)
            self._table = RowTable(plans, self._clips_per_shard)
        return self._table

    def add(self, rows: Sequence[FeatureRow]) -> bool:
        """See `FeatureStore.add_rows`."""
        known = self.refresh()
        if rows:
            RowTable((*known.plans, tuple(rows)), self._clips_per_shard)
        with disk_faults(self._root):
            number = len(known.plans)
            won = not rows or write_numbered(self._root / PLAN, number, rows_to_table(rows))
            self._grow()
        return won

    def finish_growth(self) -> None:
        """Bring all arrays to the planned length, where an `add` was interrupted.

        Raises:
            EnvironmentFault: the disk refuses.
        """
        with disk_faults(self._root):
            self._grow()

    def range_of(self, pose_shard: int) -> tuple[int, int]:
        """See `FeatureStore.row_range`."""
        ranges = self.table.ranges
        if pose_shard not in ranges:
            ranges = self.refresh().ranges
        if pose_shard not in ranges:
            raise InputError(
                f"{self._root}: pose shard {pose_shard} owns no rows; there are rows of "
                f"{len(ranges)} pose shards. Add its rows first."
            )
        return ranges[pose_shard]

    def owner(self, row: int) -> int:
        """The pose shard that owns a row."""
        ranges = self.table.ranges
        return next(shard for shard, (start, stop) in ranges.items() if start <= row < stop)

    def subset(self, split: str, name: str) -> npt.NDArray[np.bool_]:
        """See `FeatureStore.subset`."""
        splits = self.table.splits()
        if name not in splits.get(split, ()):
            raise InputError(
                f"{self._root}: no subset {name!r} of a split {split!r}; there are: "
                f"{_describe(splits)}. Put the videos below train/, val/ and test/ folders, then "
                "index, extract and materialize again; or name another with --split or --subset."
            )
        rows = self.table.rows
        return np.array([row is not None and row.subsets.get(split) == name for row in rows])

    def _grow(self) -> None:
        if self._is_grown():
            return
        # One process at a time, and each by the plan as it is then: who had read an
        # older one would shrink what another has grown meanwhile.
        with locked(self._root / PLAN / _GROWTH_LOCK):
            while not self._is_grown():
                feature_arrays.grow_arrays(self._root, self._specs, self.table)

    def _is_grown(self) -> bool:
        return feature_arrays.visible_rows(self._root) >= len(self.refresh().rows)


def _describe(splits: Mapping[str, Sequence[str]]) -> str:
    """`default: train, val; alt: a`."""
    return "; ".join(f"{s}: {', '.join(subsets)}" for s, subsets in splits.items()) or "none"
