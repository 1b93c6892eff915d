"""Predictions as one Parquet file: a row for each clip, which pandas reads as it is.

The columns are `clip_id`, `video_id`, `class` and `answer` (names), `labels`
(numbers of classes), `empty`, `probabilities` and `logits` (a number for each
class), `box` (left, top, right, bottom) and `time` (seconds). The schema's
metadata has the rest, as JSON under `posemill`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from posemill.errors import InputError, StoreCorrupted
from posemill.predictions import Predictions
from posemill.storage.durable import disk_faults, input_faults, replace_file
from posemill.storage.parquet_seal import is_sealed, seal_parquet

KIND = "posemill-predictions"
SCHEMA_VERSION = 1
_KEY = b"posemill"
_MAGIC = b"PAR1"
_ABOUT = ("model", "split", "subset", "multi_label", "num_unavailable", "num_views")
_NUMBERS = pa.list_(pa.float32())
_SCHEMA = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("class", pa.string()),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("labels", pa.list_(pa.int32()), nullable=False),
        pa.field("empty", pa.bool_(), nullable=False),
        pa.field("probabilities", _NUMBERS, nullable=False),
        pa.field("logits", _NUMBERS, nullable=False),
        pa.field("box", _NUMBERS),
        pa.field("time", pa.float64()),
    ]
)


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write the file, or put it in the place of another, at once.

    Raises:
        EnvironmentFault: the disk refuses.
    """
    metadata = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "classes": list(predictions.classes),
        **{name: getattr(predictions, name) for name in _ABOUT},
        "made_with": dict(predictions.made_with),
    }
    schema = _SCHEMA.with_metadata({_KEY: json.dumps(metadata)})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pydict(_columns(predictions), schema=schema), sink)
    with disk_faults(path):
        replace_file(path, seal_parquet(sink.getvalue().to_pybytes()))


def read_predictions(path: Path) -> Predictions:
    """The inverse of `write_predictions`.

    Raises:
        InputError: there is no such file, it holds something else, or a newer posemill wrote it.
        StoreCorrupted: its bytes are not those that were written.
    """
    with input_faults(path, "Score the run's clips with `posemill evaluate` first."):
        data = path.read_bytes()
    if not data.startswith(_MAGIC):
        raise InputError(f"{path} is not a Parquet file; expected predictions of posemill's")
    if not is_sealed(data):
        raise StoreCorrupted(
            f"{path} is damaged: its bytes are not those that were written. Make it again with "
            "`posemill evaluate` or `posemill fuse`"
        )
    table = pq.read_table(pa.BufferReader(data))
    metadata = _metadata(path, table.schema)
    try:
        return _from_table(table, metadata)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} does not hold valid predictions: {error}") from error


def _columns(predictions: Predictions) -> dict[str, Any]:
    names = predictions.classes
    return {
        "clip_id": predictions.clip_ids,
        "video_id": predictions.video_ids,
        "class": [names[labels[0]] if labels else None for labels in predictions.labels],
        "answer": [names[answer] for answer in predictions.answers],
        "labels": predictions.labels,
        "empty": predictions.empty,
        "probabilities": _lists(predictions.probabilities),
        "logits": _lists(predictions.logits),
        "box": _lists(predictions.boxes, len(predictions)),
        "time": pa.nulls(len(predictions), pa.float64())
        if predictions.times is None
        else predictions.times,
    }


def _lists(rows: npt.NDArray[np.float32] | None, count: int = 0) -> pa.Array:
    """(N, M) numbers as N lists, or `count` nulls for None."""
    if rows is None:
        return pa.nulls(count, _NUMBERS)
    ends = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(ends, rows.ravel())


def _from_table(table: pa.Table, metadata: dict[str, Any]) -> Predictions:
    classes = tuple(metadata["classes"])
    has_boxes = table["box"].null_count < table.num_rows
    return Predictions(
        **{name: metadata[name] for name in _ABOUT},
        made_with=dict(metadata.get("made_with", {})),  # not told by older files
        classes=classes,
        clip_ids=tuple(table["clip_id"].to_pylist()),
        video_ids=tuple(table["video_id"].to_pylist()),
        labels=tuple(map(tuple, table["labels"].to_pylist())),
        empty=table["empty"].to_numpy(),
        probabilities=_matrix(table, "probabilities", len(classes)),
        logits=_matrix(table, "logits", len(classes)),
        boxes=_matrix(table, "box", 4) if has_boxes else None,
        times=table["time"].to_numpy() if has_boxes else None,
    )


def _matrix(table: pa.Table, name: str, width: int) -> npt.NDArray[np.float32]:
    lengths: Sequence[int | None] = table[name].combine_chunks().value_lengths().to_pylist()
    if set(lengths) - {width}:
        raise ValueError(f"a row of {name} has {set(lengths) - {width}} numbers, expected {width}")
    rows: npt.NDArray[np.float32] = table[name].combine_chunks().flatten().to_numpy()
    return rows.reshape(-1, width)


def _metadata(path: Path, schema: pa.Schema) -> dict[str, Any]:
    stored = (schema.metadata or {}).get(_KEY, b"{}")
    metadata: dict[str, Any] = json.loads(stored)
    if metadata.get("kind") != KIND:
        raise InputError(f"{path} is a Parquet file of something else than posemill's predictions")
    if metadata["schema_version"] > SCHEMA_VERSION:
        raise InputError(
            f"{path} has predictions of schema version {metadata['schema_version']}; this posemill "
            f"reads up to {SCHEMA_VERSION}. Upgrade posemill, or evaluate the run again"
        )
    return metadata
