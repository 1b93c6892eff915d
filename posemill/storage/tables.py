"""Videos and clips as Arrow tables, for the catalog and the plans."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

import pyarrow as pa

from posemill.schema import Clip, TimedBox, TimedLabel, Video

VIDEO_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("num_bytes", pa.int64(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("duration_seconds", pa.float64()),
        pa.field("start_seconds", pa.float64(), nullable=False),
        pa.field("end_seconds", pa.float64()),
    ]
)

_LABEL = pa.struct(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("start_seconds", pa.float64()),
        pa.field("end_seconds", pa.float64()),
    ]
)

BOXES = pa.list_(
    pa.struct([pa.field(field.name, pa.float64(), nullable=False) for field in fields(TimedBox)])
)

CLIP_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("start_seconds", pa.float64(), nullable=False),
        pa.field("end_seconds", pa.float64()),
        pa.field("labels", pa.list_(_LABEL), nullable=False),
        pa.field("mirror_label", pa.string()),
        pa.field("splits", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("boxes", BOXES, nullable=False),
    ]
)

_LABEL_FIELDS = tuple(field.name for field in fields(TimedLabel))


def videos_to_table(videos: Sequence[Video]) -> pa.Table:
    """One row per video, in order, with `VIDEO_SCHEMA`."""
    columns = {name: [getattr(video, name) for video in videos] for name in VIDEO_SCHEMA.names}
    return pa.Table.from_pydict(columns, schema=VIDEO_SCHEMA)


def videos_from_table(table: pa.Table) -> tuple[Video, ...]:
    """The videos of a table that has (at least) the columns of `VIDEO_SCHEMA`."""
    return tuple(map(Video, *(table[name].to_pylist() for name in VIDEO_SCHEMA.names)))


def clips_to_table(clips: Sequence[Clip]) -> pa.Table:
    """One row per clip, in order, with `CLIP_SCHEMA`."""
    columns = {name: [getattr(clip, name) for clip in clips] for name in CLIP_SCHEMA.names}
    columns["labels"] = [_labels_to_dicts(clip.labels) for clip in clips]
    columns["splits"] = [sorted(clip.splits.items()) for clip in clips]
    columns["boxes"] = [boxes_to_dicts(clip.boxes) for clip in clips]
    return pa.Table.from_pydict(columns, schema=CLIP_SCHEMA)


def clips_from_table(table: pa.Table) -> tuple[Clip, ...]:
    """The clips of a table with `CLIP_SCHEMA`, or with that of a catalog without boxes."""
    *columns, boxes_column = CLIP_SCHEMA.names
    if boxes_column in table.schema.names:
        boxes = table[boxes_column].to_pylist()
    else:
        boxes = [()] * table.num_rows
    with _without_collector():
        return tuple(map(_clip, *(table[name].to_pylist() for name in columns), boxes))


def boxes_to_dicts(boxes: Iterable[TimedBox]) -> list[dict[str, float]]:
    """Boxes as a value of a column of type `BOXES`."""
    return [asdict(box) for box in boxes]


def boxes_from_dicts(stored: Iterable[Mapping[str, float]]) -> tuple[TimedBox, ...]:
    """The inverse of `boxes_to_dicts`.

    Raises:
        ValueError: a box that leaves the frame or has no area.
    """
    return tuple(TimedBox(**box) for box in stored)


def _clip(
    id_: str,
    video_id: str,
    start_seconds: float,
    end_seconds: float | None,
    labels: Iterable[Mapping[str, Any]],
    mirror_label: str | None,
    splits: Iterable[tuple[str, str]],
    boxes: Iterable[Mapping[str, float]],
) -> Clip:
    return Clip(
        id=id_,
        video_id=video_id,
        start_seconds=start_seconds,
        end_seconds=end_seconds,
        labels=tuple(TimedLabel(**label) for label in labels),
        mirror_label=mirror_label,
        splits=dict(splits),
        boxes=boxes_from_dicts(boxes),
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """Makes many lasting objects in a third of the time: none of them is garbage to look for."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _labels_to_dicts(labels: Iterable[TimedLabel]) -> list[dict[str, object]]:
    return [{name: getattr(label, name) for name in _LABEL_FIELDS} for label in labels]
