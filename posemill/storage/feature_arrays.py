"""The Zarr arrays of a feature store as the objects that hold them. Pure: nothing is written here.

The root's `zarr.json` repeats all arrays' metadata (Zarr's consolidated
metadata), so that opening the store is one read, and growth becomes visible by
one atomic replacement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from posemill.storage.feature_rows import NO_LABEL, RowTable
from posemill.storage.layout import INDEX_ROWS_PER_CHUNK, feature_codecs
from posemill.storage.store_parts import METADATA, group_metadata
from posemill.storage.zarr_draft import ZarrDraft
from posemill.transforms.outputs import OutputSpec

CLIP = "clip"
VALID = "valid"
SUBSET = "subset"
_INDEX_ARRAYS: Mapping[str, tuple[type, Any]] = {
    "clip_id": (str, ""),
    "video_id": (str, ""),
    "label": (np.int32, NO_LABEL),
    "mirror_label": (np.int32, NO_LABEL),
    VALID: (np.bool_, False),
}
RESERVED_NAMES = frozenset({*_INDEX_ARRAYS, SUBSET, CLIP, "split", "commits", "plan"})


def check_specs(specs: Sequence[OutputSpec]) -> None:
    """Refuse outputs that cannot stand in one store.

    Raises:
        ValueError: a name that is taken, given twice or also a dimension's; or
            two sizes of one dimension.
    """
    sizes: dict[str, int] = {}
    names = [spec.name for spec in specs]
    for spec in specs:
        if spec.name in RESERVED_NAMES or not spec.name.isidentifier():
            raise ValueError(f"an output cannot be called {spec.name!r}")
        for dim, size in zip(spec.dims, spec.shape, strict=True):
            if dim in names or dim == CLIP or sizes.setdefault(dim, size) != size:
                raise ValueError(
                    f"output {spec.name}: dimension {dim!r} is also an output's name, or has two "
                    f"sizes ({size}, {sizes.get(dim)}); give it a name of its own"
                )
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"outputs need names, each once, got {names}")


def metadata_files(
    attributes: Mapping[str, Any],
    specs: Sequence[OutputSpec],
    clips_per_shard: int,
    table: RowTable,
) -> dict[str, bytes]:
    """The `zarr.json` of every array at the table's length, and last the root's."""
    draft = ZarrDraft()
    group = zarr.create_group(draft.store, zarr_format=3)
    for spec in specs:
        _create_output(group, spec, clips_per_shard, len(table.rows))
    _create_index(group, clips_per_shard, table)
    files = {name: data for name, data in draft.files().items() if name != METADATA}
    inline = {
        "kind": "inline",
        "must_understand": False,
        "metadata": {name.removesuffix(f"/{METADATA}"): json.loads(files[name]) for name in files},
    }
    return {**files, METADATA: group_metadata(attributes, consolidated_metadata=inline)}


def index_files(clips_per_shard: int, table: RowTable, first_row: int = 0) -> dict[str, bytes]:
    """The objects that tell what the rows are, from the one that holds `first_row` on."""
    draft = ZarrDraft()
    group = zarr.create_group(draft.store, zarr_format=3)
    _create_index(group, clips_per_shard, table)
    first = first_row - first_row % INDEX_ROWS_PER_CHUNK
    if first < len(table.rows):
        for name, values in index_values(table).items():
            if values[first:].size:
                member(group, name)[first:] = values[first:]
    return _data_files(draft)


def index_values(table: RowTable) -> dict[str, npt.NDArray[Any]]:
    """What the arrays tell of all rows, by their names; `valid` is not of the plan."""
    texts = {
        name: ["" if row is None else getattr(row, name) for row in table.rows]
        for name in ("clip_id", "video_id")
    }
    return {
        **{name: np.array(values, dtype=object) for name, values in texts.items()},
        "label": table.labels(),
        "mirror_label": table.mirror_labels(),
        SUBSET: table.subset_codes(),
    }


def visible_rows(root_metadata: bytes) -> int:
    """How many rows the root shows; fewer than planned while growth is unfinished."""
    shape: list[int] = json.loads(root_metadata)["consolidated_metadata"]["metadata"][VALID][
        "shape"
    ]
    return shape[0]


def output_files(
    spec: OutputSpec, clips_per_shard: int, start: int, rows: npt.NDArray[Any]
) -> dict[str, bytes]:
    """The object that holds the rows from `start` on, a whole shard of them, padded with 0."""
    draft = ZarrDraft()
    group = zarr.create_group(draft.store, zarr_format=3)
    stop = start + clips_per_shard
    _create_output(group, spec, clips_per_shard, stop)
    # Every object of a written range is there, so that one that is not there is a loss.
    array = member(group, spec.name).with_config({"write_empty_chunks": True})
    if len(rows) < clips_per_shard:
        padded = np.zeros((clips_per_shard, *rows.shape[1:]), rows.dtype)
        padded[: len(rows)] = rows
        rows = padded
    array[start:stop] = rows
    return _data_files(draft)


def valid_files(clips_per_shard: int, start: int, valid: npt.NDArray[np.bool_]) -> dict[str, bytes]:
    """The objects that say which rows from `start` on hold features."""
    draft = ZarrDraft()
    group = zarr.create_group(draft.store, zarr_format=3)
    _create_rows(group, VALID, clips_per_shard, start + len(valid))
    # Every object is there, so that one that is not there is a loss, and that none is
    # removed under a writer that races with this one.
    array = member(group, VALID).with_config({"write_empty_chunks": True})
    array[start:] = valid
    return _data_files(draft)


def check_rows(
    specs: Sequence[OutputSpec],
    arrays: Mapping[str, npt.NDArray[Any]],
    valid: npt.NDArray[np.bool_],
    num_clips: int,
) -> None:
    """Refuse features that are not what the specs declare for so many clips.

    Raises:
        ValueError: naming the array and what was expected of it.
    """
    names = {spec.name for spec in specs}
    if set(arrays) != names:
        raise ValueError(f"expected the outputs {sorted(names)}, got {sorted(arrays)}")
    if valid.shape != (num_clips,) or valid.dtype != np.bool_:
        raise ValueError(f"valid must be ({num_clips},) bool, got {valid.shape} {valid.dtype}")
    for spec in specs:
        got, expected = arrays[spec.name], (num_clips, *spec.shape)
        if got.shape != expected or got.dtype != np.dtype(spec.dtype):
            raise ValueError(
                f"output {spec.name} must be {expected} {spec.dtype}, got {got.shape} {got.dtype}"
            )


def shard_names(name: str, shards: range, ndim: int) -> list[str]:
    """The objects of an array of `ndim` dimensions that hold whole shards of rows."""
    inner = "/0" * (ndim - 1)
    return [f"{name}/c/{shard}{inner}" for shard in shards]


def specs_to_json(specs: Sequence[OutputSpec]) -> list[dict[str, Any]]:
    """Specs as they stand in the root's attributes."""
    return [{**asdict(s), "dims": list(s.dims), "shape": list(s.shape)} for s in specs]


def specs_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[OutputSpec, ...]:
    """The inverse of `specs_to_json`."""
    return tuple(
        OutputSpec(**{**spec, "dims": tuple(spec["dims"]), "shape": tuple(spec["shape"])})
        for spec in stored
    )


def _create_output(
    group: zarr.Group, spec: OutputSpec, clips_per_shard: int, num_rows: int
) -> None:
    attributes = {
        "scale_factor": spec.scale_factor,
        "add_offset": spec.add_offset,
        "long_name": spec.description or None,
        "precision": spec.precision,
    }
    group.create_array(
        spec.name,
        shape=(num_rows, *spec.shape),
        dtype=spec.dtype,
        chunks=(1, *spec.shape),
        shards=(clips_per_shard, *spec.shape),
        compressors=feature_codecs(),
        fill_value=False if spec.dtype == "bool" else 0,
        dimension_names=(CLIP, *spec.dims),
        attributes={key: value for key, value in attributes.items() if value is not None},
    )


def _create_index(group: zarr.Group, clips_per_shard: int, table: RowTable) -> None:
    for name in _INDEX_ARRAYS:
        _create_rows(group, name, clips_per_shard, len(table.rows))
    splits = table.splits()
    group.create_array(
        SUBSET,
        shape=(len(table.rows), len(splits)),
        dtype=np.int8,
        chunks=(INDEX_ROWS_PER_CHUNK, 1),
        compressors=feature_codecs(),
        fill_value=-1,
        dimension_names=(CLIP, "split"),
        attributes={"split_names": list(splits), "subset_names": splits},
    )


def _create_rows(group: zarr.Group, name: str, clips_per_shard: int, num_rows: int) -> None:
    dtype, fill = _INDEX_ARRAYS[name]
    group.create_array(
        name,
        shape=(num_rows,),
        dtype=dtype,
        chunks=(clips_per_shard if name == VALID else INDEX_ROWS_PER_CHUNK,),
        compressors=feature_codecs(),
        fill_value=fill,
        dimension_names=(CLIP,),
    )


def _data_files(draft: ZarrDraft) -> dict[str, bytes]:
    return {name: data for name, data in draft.files().items() if not name.endswith(METADATA)}


def member(group: zarr.Group, name: str) -> zarr.Array[Any]:
    """The array of a group that has this name.

    Raises:
        KeyError: there is none.
    """
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{name} must be an array, got a group")
    return array
