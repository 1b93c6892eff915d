"""The Zarr arrays of a feature store: created empty, grown, filled by whole shards.

The root's `zarr.json` repeats all arrays' metadata (Zarr's consolidated
metadata), so that opening the store is one read, and growth becomes visible by
one atomic replacement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from posemill.storage.durable import replace_file, sync_file, sync_folder, sync_tree
from posemill.storage.feature_rows import NO_LABEL, RowTable
from posemill.storage.layout import INDEX_ROWS_PER_CHUNK, feature_codecs
from posemill.storage.store_root import METADATA, group_metadata
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


def create_arrays(root: Path, specs: Sequence[OutputSpec], clips_per_shard: int) -> None:
    """Create every array with 0 rows in a new store's folder."""
    group = zarr.open_group(root, mode="r+", zarr_format=3)
    for spec in specs:
        _create_output(group, spec, clips_per_shard)
    for name, (dtype, fill) in _INDEX_ARRAYS.items():
        group.create_array(
            name,
            shape=(0,),
            dtype=dtype,
            chunks=(clips_per_shard if name == VALID else INDEX_ROWS_PER_CHUNK,),
            compressors=feature_codecs(),
            fill_value=fill,
            dimension_names=(CLIP,),
        )
    group.create_array(
        SUBSET,
        shape=(0, 0),
        dtype=np.int8,
        chunks=(INDEX_ROWS_PER_CHUNK, 1),
        compressors=feature_codecs(),
        fill_value=-1,
        dimension_names=(CLIP, "split"),
        attributes={"split_names": [], "subset_names": {}},
    )
    consolidate(root, specs)


def grow_arrays(root: Path, specs: Sequence[OutputSpec], table: RowTable) -> None:
    """Bring every array to the table's length and write the index arrays.

    Repeatable. For one process at a time, with the latest table: an older one
    would shrink the arrays.
    """
    group = zarr.open_group(root, mode="r+", zarr_format=3, use_consolidated=False)
    num_rows = len(table.rows)
    for name in [spec.name for spec in specs] + list(_INDEX_ARRAYS):
        array = _array(group, name)
        if array.shape[0] < num_rows:
            array.resize((num_rows, *array.shape[1:]))
    _write_index(group, table)
    _write_subsets(group, table)
    for name in (*_INDEX_ARRAYS, SUBSET):
        sync_tree(root / name)
    consolidate(root, specs)


def visible_rows(root: Path) -> int:
    """How many rows the root's metadata shows; fewer than planned while growth is unfinished."""
    metadata = json.loads((root / METADATA).read_bytes())
    shape: list[int] = metadata["consolidated_metadata"]["metadata"][VALID]["shape"]
    return shape[0]


def consolidate(root: Path, specs: Sequence[OutputSpec]) -> None:
    """Copy the metadata of all arrays into the root's, at once."""
    names = [*(spec.name for spec in specs), *_INDEX_ARRAYS, SUBSET]
    metadata = {name: json.loads((root / name / METADATA).read_bytes()) for name in names}
    attributes = json.loads((root / METADATA).read_bytes())["attributes"]
    inline = {"kind": "inline", "must_understand": False, "metadata": metadata}
    replace_file(root / METADATA, group_metadata(attributes, consolidated_metadata=inline))


def write_rows(root: Path, name: str, start: int, stop: int, rows: npt.NDArray[Any]) -> list[Path]:
    """Write whole shards `[start, stop)` of an array; rows are padded with 0.

    Returns the objects that hold them.
    """
    array = zarr.open_array(root / name, mode="r+")
    # Every object of a written range is there, so that one that is not there is a loss, and
    # that none is removed under a writer that races with this one.
    array = array.with_config({"write_empty_chunks": True})
    if len(rows) < stop - start:
        padded = np.zeros((stop - start, *rows.shape[1:]), rows.dtype)
        padded[: len(rows)] = rows
        rows = padded
    array[start:stop] = rows
    shard_size = (array.shards or array.chunks)[0]
    paths = shard_paths(root, name, range(start // shard_size, stop // shard_size), rows.ndim)
    for path in paths:
        sync_file(path)
    for folder in {path.parent for path in paths}:
        sync_folder(folder)
    return paths


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


def shard_paths(root: Path, name: str, shards: range, ndim: int) -> list[Path]:
    """The objects of an array of `ndim` dimensions that hold whole shards of rows."""
    inner = ["0"] * (ndim - 1)
    return [root.joinpath(name, "c", str(shard), *inner) for shard in shards]


def read_valid(root: Path) -> npt.NDArray[np.bool_]:
    """(R,) which rows hold features."""
    return np.asarray(zarr.open_array(root / VALID, mode="r")[...], dtype=np.bool_)


def specs_to_json(specs: Sequence[OutputSpec]) -> list[dict[str, Any]]:
    """Specs as they stand in the root's attributes."""
    return [{**asdict(s), "dims": list(s.dims), "shape": list(s.shape)} for s in specs]


def specs_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[OutputSpec, ...]:
    """The inverse of `specs_to_json`."""
    return tuple(
        OutputSpec(**{**spec, "dims": tuple(spec["dims"]), "shape": tuple(spec["shape"])})
        for spec in stored
    )


def _create_output(group: zarr.Group, spec: OutputSpec, clips_per_shard: int) -> None:
    attributes = {
        "scale_factor": spec.scale_factor,
        "add_offset": spec.add_offset,
        "long_name": spec.description or None,
        "precision": spec.precision,
    }
    group.create_array(
        spec.name,
        shape=(0, *spec.shape),
        dtype=spec.dtype,
        chunks=(1, *spec.shape),
        shards=(clips_per_shard, *spec.shape),
        compressors=feature_codecs(),
        fill_value=False if spec.dtype == "bool" else 0,
        dimension_names=(CLIP, *spec.dims),
        attributes={key: value for key, value in attributes.items() if value is not None},
    )


def _write_index(group: zarr.Group, table: RowTable) -> None:
    rows = table.rows
    _array(group, "label")[...] = table.labels()
    _array(group, "mirror_label")[...] = table.mirror_labels()
    for name in ("clip_id", "video_id"):
        texts = ["" if row is None else getattr(row, name) for row in rows]
        _array(group, name)[...] = np.array(texts, dtype=object)


def _write_subsets(group: zarr.Group, table: RowTable) -> None:
    array, codes, splits = _array(group, SUBSET), table.subset_codes(), table.splits()
    if array.shape != codes.shape:
        array.resize(codes.shape)
    if codes.size:
        array[...] = codes
    array.update_attributes({"split_names": list(splits), "subset_names": splits})


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{name} must be an array, got a group")
    return array
