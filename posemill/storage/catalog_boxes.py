"""The person boxes of a catalog, read without the rest of it, for some of its videos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from posemill.errors import InputError
from posemill.schema import TimedBox
from posemill.storage.tables import boxes_from_dicts

_CLIPS = "clips.parquet"
_COLUMNS = ("video_id", "boxes")
_BATCH = 65_536  # clips: memory does not grow with the catalog


def has_boxes(catalog: Path) -> bool:
    """Whether any clip of the catalog at a path has boxes.

    Raises:
        InputError: there is no readable catalog.
    """
    return any(clips.num_rows for clips in _boxed_clips(catalog))


def read_boxes(catalog: Path, video_ids: Collection[str]) -> dict[str, list[tuple[TimedBox, ...]]]:
    """The boxes of each clip that has some, by the clip's video, for those videos alone.

    Raises:
        InputError: there is no readable catalog.
    """
    wanted = pa.array(list(video_ids), pa.string())
    found: dict[str, list[tuple[TimedBox, ...]]] = defaultdict(list)
    for clips in _boxed_clips(catalog):
        chosen = clips.filter(pc.is_in(clips["video_id"], value_set=wanted))
        for video_id, boxes in zip(*(chosen[name].to_pylist() for name in _COLUMNS), strict=True):
            found[video_id].append(boxes_from_dicts(boxes))
    return dict(found)


def _boxed_clips(catalog: Path) -> Iterator[pa.RecordBatch]:
    """Those of the clips that have boxes; a catalog of the first schema has none."""
    path = catalog / _CLIPS
    with _unreadable(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
        if _COLUMNS[1] not in file.schema_arrow.names:
            return
        for clips in file.iter_batches(_BATCH, columns=list(_COLUMNS)):
            yield clips.filter(pc.greater(pc.list_value_length(clips["boxes"]), 0))


@contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowInvalid, ValueError) as error:
        raise InputError(
            f"{path.parent}: the boxes of its clips cannot be read ({path.name}: {error}). Give a "
            "folder made by `posemill index`, or index the dataset again."
        ) from error
