"""The rows of a feature store: planned once, added to, and the arrays' growth to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from posemill.errors import InputError
from posemill.storage import feature_arrays
from posemill.storage.durable import disk_faults
from posemill.storage.feature_rows import FeatureRow, RowTable, rows_from_table, rows_to_table
from posemill.storage.objects import Objects
from posemill.storage.plans import count_numbered, read_numbered, write_numbered
from posemill.storage.store_parts import METADATA, PLAN
from posemill.transforms.outputs import OutputSpec


class RowPlan:
    """The plans of the store at `objects`; reads them when first needed."""

    def __init__(
        self,
        objects: Objects,
        attributes: Mapping[str, Any],
        specs: Sequence[OutputSpec],
        clips_per_shard: int,
    ) -> None:
        self._objects = objects
        self._attributes = attributes
        self._specs = specs
        self._clips_per_shard = clips_per_shard
        self._table: RowTable | None = None

    @property
    def table(self) -> RowTable:
        """As last read."""
        return self._table if self._table is not None else self.refresh()

    def refresh(self) -> RowTable:
        """All rows that are planned by now."""
        part = self._objects.at(PLAN)
        known = 0 if self._table is None else len(self._table.plans)
        if self._table is None or count_numbered(part) != known:
            plans = tuple(rows_from_table(table) for table in read_numbered(part))
            self._table = RowTable(plans, self._clips_per_shard)
        return self._table

    def add(self, rows: Sequence[FeatureRow]) -> bool:
        """See `FeatureStore.add_rows`."""
        seen = self._table
        known = self.refresh()
        if seen is not None and len(seen.plans) < len(known.plans):
            return False  # the caller has chosen these rows by what was there before
        if rows:
            RowTable((*known.plans, tuple(rows)), self._clips_per_shard)
        with disk_faults(self._objects.url):
            number = len(known.plans)
            part = self._objects.at(PLAN)
            won = not rows or write_numbered(part, number, rows_to_table(rows))
            self._grow()
        return won

    def finish_growth(self) -> None:
        """Bring all arrays to the planned length, where an `add` was interrupted.

        Raises:
            EnvironmentFault: the disk refuses.
        """
        with disk_faults(self._objects.url):
            self._grow()

    def range_of(self, pose_shard: int) -> tuple[int, int]:
        """See `FeatureStore.row_range`."""
        ranges = self.table.ranges
        if pose_shard not in ranges:
            ranges = self.refresh().ranges
        if pose_shard not in ranges:
            raise InputError(
                f"{self._objects.url}: pose shard {pose_shard} owns no rows; there are rows of "
                f"{len(ranges)} pose shards. Add its rows first."
            )
        return ranges[pose_shard]

    def owner(self, row: int) -> int:
        """The pose shard that owns a row."""
        ranges = self.table.ranges
        return next(shard for shard, (start, stop) in ranges.items() if start <= row < stop)

    def subset(self, split: str, name: str) -> npt.NDArray[np.bool_]:
        """See `FeatureStore.subset`."""
        return self.table.subset(self._objects.url, split, name)

    def problems(self) -> dict[str, str]:
        """What the arrays tell of the rows otherwise than the plan, by the array's name.

        Raises:
            EnvironmentFault: the store cannot be read.
        """
        expected = self._metadata(self.refresh())
        with disk_faults(self._objects.url):
            sizes = self._objects.sizes(expected)
            found = self._objects.read_all(name for name in expected if sizes[name] is not None)
        wrong = {name: "is missing" for name in expected if name not in found}
        for name, data in found.items():
            if data != expected[name]:
                wrong[name] = "differs from the plan"
        return wrong if wrong else self._wrong_values()

    def rewrite(self) -> None:
        """Write what the arrays tell of all rows again.

        Raises:
            EnvironmentFault: the store cannot be written.
        """
        with disk_faults(self._objects.url):
            self._objects.rewrite(METADATA, lambda: self._files(0))

    def _wrong_values(self) -> dict[str, str]:
        group = zarr.open_group(self._objects.zarr_store(), mode="r", zarr_format=3)
        wrong = {}
        for name, values in feature_arrays.index_values(self.table).items():
            try:
                found = feature_arrays.member(group, name)[...]
            except (ValueError, RuntimeError) as error:
                wrong[name] = f"cannot be read: {error}"
                continue
            if not np.array_equal(found, values):
                wrong[name] = "differs from the plan"
        return wrong

    def _grow(self) -> None:
        visible = self._visible_rows()
        if visible < len(self.refresh().rows):
            self._objects.rewrite(METADATA, lambda: self._files(visible))

    def _files(self, first_row: int) -> dict[str, bytes]:
        """What holds the rows from `first_row` on, by the plans as they are now; the root last."""
        table = self.refresh()
        index = feature_arrays.index_files(self._clips_per_shard, table, first_row)
        return {**index, **self._metadata(table)}

    def _metadata(self, table: RowTable) -> dict[str, bytes]:
        return feature_arrays.metadata_files(
            self._attributes, self._specs, self._clips_per_shard, table
        )

    def _visible_rows(self) -> int:
        return feature_arrays.visible_rows(self._objects.read(METADATA))
