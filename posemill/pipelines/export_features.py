"""The export of a feature store: its rows in order, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.events import Event, ItemDone, ShardEnded
from posemill.pipelines.export_items import NOT_MADE, UNFIT, ExportPlan, LeftOut
from posemill.pipelines.tasks import ShardOutcome
from posemill.schema import VideoStatus
from posemill.storage.exports.base import FeatureExport, FeatureItem, FeatureSource, FeatureWriter
from posemill.storage.features import FeatureRow, FeatureStore

NO_FEATURES = "no features"


@dataclass(frozen=True, slots=True)
class FeatureExportJob:
    """What is exported of a feature store, as its commits were when this was made."""

    export: FeatureExport
    store: FeatureStore
    source: FeatureSource
    rows: tuple[tuple[int, FeatureRow], ...]
    """Number and clip of each row that is exported."""
    valid: npt.NDArray[np.bool_]
    plan: ExportPlan

    @classmethod
    def of(
        cls, export: FeatureExport, store: FeatureStore, catalog: Path | None
    ) -> FeatureExportJob:
        """The job of an export.

        Raises:
            InputError: a catalog is given, or the export refuses what the store holds.
            StoreCorrupted: features are not as they were committed.
        """
        if catalog is not None:
            raise InputError(
                f"export {export.name} takes features, which have their labels; leave --catalog out"
            )
        clips = [(number, row) for number, row in enumerate(store.rows()) if row is not None]
        source = FeatureSource(
            store.url, store.configuration, store.classes, store.specs, _splits(clips)
        )
        export.check(source)
        made, valid = store.committed(), store.valid()
        left_out = {
            number: left
            for number, row in clips
            if (left := _left_out(export, row, row.pose_shard in made, bool(valid[number])))
        }
        rows = tuple((number, row) for number, row in clips if number not in left_out)
        plan = ExportPlan("clip", len(rows), tuple(left_out.values()), store.classes)
        return cls(export, store, source, rows, valid, plan)

    @property
    def num_shards(self) -> int:
        return len({row.pose_shard for _, row in self.rows})

    def write(self, draft: Path, on_event: Callable[[Event], None]) -> list[LeftOut]:
        """Export all rows; there is none that cannot be."""
        with self.export.begin(draft, self.source) as writer:
            for block in self._blocks():
                self._write_block(writer, block, on_event)
        return []

    def _blocks(self) -> Iterator[list[tuple[int, FeatureRow]]]:
        """Rows that lie together on the disk: what the store's own workers hold at once."""
        block: list[tuple[int, FeatureRow]] = []
        for number, row in self.rows:
            size = self.store.clips_per_shard
            if block and block[0][0] // size != number // size:
                yield block
                block = []
            block.append((number, row))
        if block:
            yield block

    def _write_block(
        self,
        writer: FeatureWriter,
        block: list[tuple[int, FeatureRow]],
        on_event: Callable[[Event], None],
    ) -> None:
        numbers = [number for number, _ in block]
        arrays = {spec.name: self.store.read(spec.name, numbers) for spec in self.source.specs}
        for place, (number, row) in enumerate(block):
            own = {name: array[place] for name, array in arrays.items()}
            writer.add(FeatureItem(number, row, bool(self.valid[number]), own))
            on_event(ItemDone(row.pose_shard, row.clip_id, str(VideoStatus.OK), 0))
        shard = block[0][1].pose_shard
        on_event(ShardEnded(shard, str(ShardOutcome.COMMITTED), len(block)))


def _left_out(
    export: FeatureExport, row: FeatureRow, is_made: bool, is_valid: bool
) -> LeftOut | None:
    if not is_made:
        return LeftOut(row.clip_id, NOT_MADE)
    if not (is_valid or export.keep_invalid):
        return LeftOut(row.clip_id, NO_FEATURES)
    problem = export.unfit(row)
    return LeftOut(row.clip_id, UNFIT, problem) if problem else None


def _splits(clips: list[tuple[int, FeatureRow]]) -> dict[str, tuple[str, ...]]:
    subsets = {pair for _, row in clips for pair in row.subsets.items()}
    splits: dict[str, tuple[str, ...]] = {}
    for split, subset in sorted(subsets):
        splits[split] = (*splits.get(split, ()), subset)
    return splits
