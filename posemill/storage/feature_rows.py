"""Which clip each row of a feature store is of: frozen, in plan order, owned by pose shards.

Every pose shard owns whole shards of rows; what it does not fill stays
padding. So no two writers ever touch the same object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from posemill.errors import InputError
from posemill.schema import TimedBox
from posemill.storage.tables import BOXES, boxes_from_dicts, boxes_to_dicts

NO_LABEL = -1

_SCHEMA = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),
        pa.field("mirror_label", pa.int32(), nullable=False),
        pa.field("subsets", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("pose_shard", pa.int64(), nullable=False),
        pa.field("start_seconds", pa.float64(), nullable=False),
        pa.field("end_seconds", pa.float64()),
        pa.field("boxes", BOXES, nullable=False),
        pa.field("labels", pa.list_(pa.int32()), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A clip, as one row of the features.

    Raises:
        ValueError: an empty id, a label below -1, or `labels` that do not start with `label` or
            hold a class twice.
    """

    clip_id: str
    video_id: str
    label: int
    """Index into the store's classes, -1 for none."""
    mirror_label: int
    """The class that the flipped clip shows, -1 where none is declared."""
    subsets: Mapping[str, str]
    """Name of a split to the clip's subset in it."""
    pose_shard: int
    start_seconds: float = 0.0
    """Of the clip in its video, `[start_seconds, end_seconds)`."""
    end_seconds: float | None = None
    boxes: tuple[TimedBox, ...] = ()
    """Of the labelled person, see `schema.Clip`."""
    labels: tuple[int, ...] = ()
    """Every class of the clip, once each, `label` first; left out, it is `label` alone."""

    def __post_init__(self) -> None:
        if not self.clip_id or not self.video_id or self.pose_shard < 0:
            raise ValueError(f"a row needs a clip, a video and a pose shard, got {self}")
        if min(self.label, self.mirror_label) < NO_LABEL:
            raise ValueError(f"clip {self.clip_id}: labels start at -1 (none), got {self}")
        if not self.labels and self.label != NO_LABEL:
            object.__setattr__(self, "labels", (self.label,))
        self._check_labels()
        object.__setattr__(self, "subsets", MappingProxyType(dict(self.subsets)))

    def _check_labels(self) -> None:
        first = self.labels[0] if self.labels else NO_LABEL
        if (
            first != self.label
            or len(set(self.labels)) < len(self.labels)
            or min(self.labels, default=0) < 0
        ):
            raise ValueError(
                f"clip {self.clip_id}: labels hold each class of the clip once, its label first, "
                f"got {self.labels} and label {self.label}"
            )

    def __reduce__(self) -> tuple[object, ...]:
        subsets = dict(self.subsets)  # a mapping proxy does not pickle
        clip = (self.clip_id, self.video_id, self.label, self.mirror_label, subsets)
        place = (self.pose_shard, self.start_seconds, self.end_seconds, self.boxes)
        return FeatureRow, (*clip, *place, self.labels)


@dataclass(frozen=True)
class RowTable:
    """All rows of a store, padding included, and who owns them.

    Raises:
        ValueError: a clip given twice, or rows of a pose shard that do not follow each other.
    """

    plans: tuple[tuple[FeatureRow, ...], ...]
    clips_per_shard: int
    ranges: dict[int, tuple[int, int]] = field(init=False)
    """Pose shard to its rows `[start, stop)`, padding included."""
    rows: list[FeatureRow | None] = field(init=False)
    """By row number; None is padding."""

    def __post_init__(self) -> None:
        ranges: dict[int, tuple[int, int]] = {}
        rows: list[FeatureRow | None] = []
        for plan in self.plans:
            for shard, members in groupby(plan, key=lambda row: row.pose_shard):
                if shard in ranges:
                    raise ValueError(f"pose shard {shard} owns the rows {ranges[shard]} already")
                start = len(rows)
                rows.extend(members)
                rows.extend([None] * (-len(rows) % self.clips_per_shard))
                ranges[shard] = (start, len(rows))
        ids = [row.clip_id for row in rows if row is not None]
        if len(set(ids)) != len(ids):
            raise ValueError("a clip may be one row only, and some are given twice")
        object.__setattr__(self, "ranges", ranges)
        object.__setattr__(self, "rows", rows)

    def labels(self) -> npt.NDArray[np.int32]:
        """(R,) class of each row, -1 for none and for padding."""
        return self._numbers([NO_LABEL if row is None else row.label for row in self.rows])

    def label_sets(self) -> list[tuple[int, ...]]:
        """Every class of each row's clip, its label first; empty for none and for padding."""
        return [() if row is None else row.labels for row in self.rows]

    def mirror_labels(self) -> npt.NDArray[np.int32]:
        """(R,) class of each row when flipped, -1 for none and for padding."""
        return self._numbers([NO_LABEL if row is None else row.mirror_label for row in self.rows])

    def splits(self) -> dict[str, list[str]]:
        """Names of splits to names of their subsets, in order of appearance: growth appends."""
        found: dict[str, dict[str, None]] = {}
        for row in self.rows:
            for split, subset in sorted(row.subsets.items()) if row is not None else ():
                found.setdefault(split, {})[subset] = None
        return {split: list(subsets) for split, subsets in found.items()}

    def subset(self, place: str, split: str, name: str) -> npt.NDArray[np.bool_]:
        """(R,) which rows are in a subset of a split of the store at `place`.

        Raises:
            InputError: there is no such split or subset.
        """
        splits = self.splits()
        if name not in splits.get(split, ()):
            raise InputError(
                f"{place}: no subset {name!r} of a split {split!r}; there are: "
                f"{_describe(splits)}. Put the videos below train/, val/ and test/ folders, then "
                "index them and make the store again; or name another with --split or --subset."
            )
        return np.array([row is not None and row.subsets.get(split) == name for row in self.rows])

    def subset_codes(self) -> npt.NDArray[np.int8]:
        """(R, S) place of each row's subset in the split's list, -1 where it has none.

        Raises:
            ValueError: a split with over 127 subsets.
        """
        splits = self.splits()
        if any(len(subsets) > np.iinfo(np.int8).max for subsets in splits.values()):
            raise ValueError(f"a split may have 127 subsets, got {splits}")
        codes = np.full((len(self.rows), len(splits)), -1, np.int8)
        for column, (split, subsets) in enumerate(splits.items()):
            place = {name: code for code, name in enumerate(subsets)}
            for number, row in enumerate(self.rows):
                if row is not None and split in row.subsets:
                    codes[number, column] = place[row.subsets[split]]
        return codes

    def _numbers(self, values: list[int]) -> npt.NDArray[np.int32]:
        return np.array(values, np.int32)


def check_labels(rows: Iterable[FeatureRow], num_classes: int) -> None:
    """Refuse rows of classes that a store does not have.

    Raises:
        ValueError: naming the first clip.
    """
    for row in rows:
        if max(*row.labels, row.mirror_label, NO_LABEL) >= num_classes:
            raise ValueError(
                f"clip {row.clip_id}: a label of {row.labels} or mirror label {row.mirror_label} "
                f"is not one of {num_classes} classes"
            )


def rows_to_table(rows: Sequence[FeatureRow]) -> pa.Table:
    """A row per clip, in order; padding is not stored."""
    columns = {name: [getattr(row, name) for row in rows] for name in _SCHEMA.names}
    columns["subsets"] = [sorted(row.subsets.items()) for row in rows]
    columns["boxes"] = [boxes_to_dicts(row.boxes) for row in rows]
    return pa.Table.from_pydict(columns, schema=_SCHEMA)


def rows_from_table(table: pa.Table) -> tuple[FeatureRow, ...]:
    """The inverse of `rows_to_table`.

    A plan from before there were boxes has none, one from before there were several labels a
    clip has `label` alone.
    """
    known = [name for name in _SCHEMA.names if name in table.column_names]
    return tuple(
        FeatureRow(
            **{
                **row,
                "subsets": dict(row["subsets"]),
                "boxes": boxes_from_dicts(row.get("boxes", ())),
                "labels": tuple(row.get("labels", ())),
            }
        )
        for row in table.select(known).to_pylist()
    )


def _describe(splits: Mapping[str, Sequence[str]]) -> str:
    """`default: train, val; alt: a`."""
    return "; ".join(f"{s}: {', '.join(subsets)}" for s, subsets in splits.items()) or "none"
