"""The feature store: plain Zarr arrays, a row per clip, rows owned by pose shards.

::

    features.zarr/
      zarr.json                      kind, configuration, classes, outputs; all arrays' metadata
      plan/000.parquet               the rows, in order; growth adds 001
      <output>/ clip_id/ label/ ...  arrays over the dimension `clip`
      valid/                         True once the row's features are written
      commits/s000123.g000.json      what was written for a pose shard, and from what
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError, StoreCorrupted
from posemill.storage import feature_arrays
from posemill.storage.commits import (
    RecordName,
    check_files,
    create_if_absent,
    list_latest,
    read_record,
    seal,
)
from posemill.storage.durable import disk_faults, locked
from posemill.storage.feature_records import FeatureCommit, commit_from_json, commit_to_json
from posemill.storage.feature_rows import (
    FeatureRow,
    RowTable,
    check_labels,
    rows_from_table,
    rows_to_table,
)
from posemill.storage.feature_writing import Block, ShardWriter, clips_per_block
from posemill.storage.layout import CLIPS_PER_SHARD, FEATURES_KIND, FEATURES_SCHEMA_VERSION
from posemill.storage.plans import read_numbered, write_numbered
from posemill.storage.shard_rows import read_shard_rows
from posemill.storage.store_root import (
    COMMITS,
    PLAN,
    already_there,
    create_store,
    describe_configuration,
    read_attributes,
    require_same,
)
from posemill.transforms.outputs import OutputSpec as ArraySpec

__all__ = [
    "CLIPS_PER_SHARD",
    "ArraySpec",
    "Block",
    "FeatureCommit",
    "FeatureRow",
    "FeatureStore",
    "clips_per_block",
]

_GROWTH_LOCK = ".growing"
Rows = SupportsIndex | slice | Sequence[int] | npt.NDArray[Any]


class FeatureStore:
    """A feature store on a local disk; holds no open files, so it may be forked or pickled."""

    def __init__(self, root: Path, attributes: Mapping[str, Any]) -> None:
        """Use `create`, `open` or `open_or_create`."""
        self.root = root
        self.configuration: dict[str, Any] = attributes["configuration"]
        self.configuration_hash: str = attributes["configuration_hash"]
        self.classes: tuple[str, ...] = tuple(attributes["classes"])
        self.specs = feature_arrays.specs_from_json(attributes["specs"])
        self.clips_per_shard: int = attributes["clips_per_shard"]
        """A pose shard owns a multiple of so many rows."""
        self._by_name = {spec.name: spec for spec in self.specs}
        self._table: RowTable | None = None
        self._parsed: dict[RecordName, FeatureCommit] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return FeatureStore.open, (self.root,)

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        specs: Sequence[ArraySpec],
        configuration: Mapping[str, Any],
        classes: Sequence[str],
        clips_per_shard: int = CLIPS_PER_SHARD,
    ) -> FeatureStore:
        """A new store without rows.

        Pose shards own whole shards of `clips_per_shard` rows; where none holds
        so many clips, fewer spare the reader rows of padding.

        Raises:
            ValueError: outputs that cannot stand in one store.
            InputError: something is there, or it cannot be written there.
        """
        if not _create(Path(path), specs, configuration, classes, clips_per_shard):
            raise already_there(Path(path))
        return cls._open_with(path, specs, configuration, classes)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> FeatureStore:
        """The store at `path`.

        Raises:
            InputError: there is none, or a newer posemill made it.
            StoreCorrupted: its root metadata was altered.
        """
        root = Path(path)
        return cls(root, read_attributes(root, FEATURES_KIND, FEATURES_SCHEMA_VERSION))

    @classmethod
    def open_or_create(
        cls,
        path: str | os.PathLike[str],
        specs: Sequence[ArraySpec],
        configuration: Mapping[str, Any],
        classes: Sequence[str],
        clips_per_shard: int = CLIPS_PER_SHARD,
    ) -> FeatureStore:
        """The store at `path`, made first where nothing is there.

        `clips_per_shard` is for a new store only.

        Finishes an interrupted `add_rows`, so that shards can be written.

        Raises:
            ValueError: outputs that cannot stand in one store.
            ConfigurationMismatch: it was made with another configuration, other
                outputs or other classes.
            InputError: something else is there, or it cannot be written there.
        """
        # Where another process is first, its store is the one to go on with.
        _create(Path(path), specs, configuration, classes, clips_per_shard)
        store = cls._open_with(path, specs, configuration, classes)
        with disk_faults(store.root):
            store._finish_growth()
        return store

    @classmethod
    def _open_with(
        cls,
        path: str | os.PathLike[str],
        specs: Sequence[ArraySpec],
        configuration: Mapping[str, Any],
        classes: Sequence[str],
    ) -> FeatureStore:
        store = cls.open(path)
        store.require_configuration(specs, configuration, classes)
        return store

    def require_configuration(
        self, specs: Sequence[ArraySpec], configuration: Mapping[str, Any], classes: Sequence[str]
    ) -> None:
        """Refuse to go on in a store that was made in another way.

        Raises:
            ConfigurationMismatch: with a line for every difference.
        """
        asked = _comparable(configuration, specs, classes)
        require_same(self.root, asked, _comparable(self.configuration, self.specs, self.classes))

    @property
    def num_rows(self) -> int:
        """R: all rows, padding included."""
        return len(self._rows.rows)

    def rows(self) -> list[FeatureRow | None]:
        """Every row's clip, in order; None is padding."""
        return list(self._refresh().rows)

    def add_rows(self, rows: Sequence[FeatureRow]) -> bool:
        """Freeze more rows, of pose shards that have none yet, each shard's together.

        Returns False where another process added rows at the same time; then
        look at `rows()` again.

        Raises:
            ValueError: a clip or a pose shard that has rows already, or a label
                that is no class.
            EnvironmentFault: the disk refuses; call again.
        """
        known = self._refresh()
        check_labels(rows, len(self.classes))
        if rows:
            RowTable((*known.plans, tuple(rows)), self.clips_per_shard)
        with disk_faults(self.root):
            won = not rows or write_numbered(
                self.root / PLAN, len(known.plans), rows_to_table(rows)
            )
            self._finish_growth()
        return won

    def row_range(self, pose_shard: int) -> tuple[int, int]:
        """The rows `[start, stop)` that a pose shard owns, padding included.

        Raises:
            InputError: it owns none.
        """
        ranges = self._rows.ranges
        if pose_shard not in ranges:
            ranges = self._refresh().ranges
        if pose_shard not in ranges:
            raise InputError(
                f"{self.root}: pose shard {pose_shard} owns no rows; there are rows of "
                f"{len(ranges)} pose shards. Add its rows first."
            )
        return ranges[pose_shard]

    def committed(self) -> dict[int, FeatureCommit]:
        """The latest commit of every pose shard whose features are there; one listing.

        Raises:
            StoreCorrupted: a commit record was altered.
        """
        latest = list_latest(self.root / COMMITS)
        commits = {shard: self._commit(name) for shard, name in latest.items()}
        return {shard: commit for shard, commit in commits.items() if not commit.void}

    def write_shard(
        self, pose_shard: int, pose_marker_sha256: str, blocks: Iterable[Block]
    ) -> bool:
        """Write the features of all clips of a pose shard, in row order, and commit them.

        A block holds the next `clips_per_shard` clips, the last one those that
        are left. It is written before the next one is taken, so that they may
        be made one by one.

        Where the shard was committed from another state of its poses, or was
        found damaged, it is written again as the next generation. Returns False
        where the very same commit is there already (then no block is taken) or
        another writer is first (then no more are).

        Raises:
            ValueError: blocks of other clips, shapes or dtypes than declared, or too
                few or many of them; nothing was committed.
            InputError: the pose shard owns no rows.
            EnvironmentFault: the disk refuses; nothing was committed.
        """
        start, stop = self.row_range(pose_shard)
        name = self._next_record(pose_shard, pose_marker_sha256)
        if name is None:
            return False
        num_clips = sum(row is not None for row in self._rows.rows[start:stop])
        writer = ShardWriter(self.root, self.specs, (start, stop), num_clips, self.clips_per_shard)
        for block in blocks:
            if (self.root / COMMITS / str(name)).exists():
                return False
            with disk_faults(self.root):
                writer.write(block)
            del block  # else it is in memory while the next one is made
        with disk_faults(self.root):
            commit = FeatureCommit(
                pose_shard=pose_shard,
                generation=name.generation,
                configuration_hash=self.configuration_hash,
                pose_marker_sha256=pose_marker_sha256,
                rows=(start, stop),
                files=writer.finish(),
            )
            return self._publish(name, commit)

    def void(self, commit: FeatureCommit) -> bool:
        """Declare a damaged commit void, so that its pose shard is written again."""
        name = RecordName(commit.pose_shard, commit.generation + 1)
        voided = FeatureCommit(
            pose_shard=commit.pose_shard,
            generation=name.generation,
            configuration_hash=commit.configuration_hash,
            pose_marker_sha256=commit.pose_marker_sha256,
            rows=commit.rows,
            files={},
            void=True,
        )
        with disk_faults(self.root):
            nothing = np.zeros(1, np.bool_)
            feature_arrays.write_rows(self.root, feature_arrays.VALID, *commit.rows, nothing)
            return self._publish(name, voided)

    def verify_files(self, commit: FeatureCommit) -> None:
        """Check that a commit's objects are there in their committed sizes.

        Raises:
            StoreCorrupted: naming the objects.
        """
        check_files(self.root, commit.files, content=False)

    def verify(self, commit: FeatureCommit) -> None:
        """Check every byte of a commit's objects.

        Raises:
            StoreCorrupted: naming the objects.
        """
        check_files(self.root, commit.files, content=True)

    def read(self, name: str, rows: Rows) -> npt.NDArray[Any]:
        """Rows of an output in its stored dtype: one row without the clip dimension, or many.

        Raises:
            InputError: no such output, or a row that was not written yet.
            IndexError: a row number outside the store.
            StoreCorrupted: damaged bytes.
        """
        spec = self._spec(name)
        numbers = np.arange(self.num_rows)[rows]
        flat = np.atleast_1d(numbers)
        out = np.empty((len(flat), *spec.shape), np.dtype(spec.dtype).newbyteorder("<"))
        shards = flat // self.clips_per_shard
        for shard in np.unique(shards):
            chosen = np.flatnonzero(shards == shard)
            self._read_shard(spec, int(shard), flat[chosen] % self.clips_per_shard, chosen, out)
        return out[0] if numbers.ndim == 0 else out

    def valid(self) -> npt.NDArray[np.bool_]:
        """(R,) which rows hold features."""
        return feature_arrays.read_valid(self.root)

    def labels(self) -> npt.NDArray[np.int32]:
        """(R,) index of each row's class, -1 for none and for padding."""
        return self._rows.labels()

    def mirror_labels(self) -> npt.NDArray[np.int32]:
        """(R,) index of each row's class when flipped, -1 for none and for padding."""
        return self._rows.mirror_labels()

    def subset(self, split: str, name: str) -> npt.NDArray[np.bool_]:
        """(R,) which rows are in a subset of a split, whether their features are there or not.

        Raises:
            InputError: there is no such split or subset.
        """
        splits = self._rows.splits()
        if name not in splits.get(split, ()):
            raise InputError(
                f"{self.root}: no subset {name!r} of a split {split!r}; there are: "
                f"{_describe(splits)}. Put the videos below train/, val/ and test/ folders, then "
                "index, extract and materialize again; or name another with --split or --subset."
            )
        rows = self._rows.rows
        return np.array([row is not None and row.subsets.get(split) == name for row in rows])

    @property
    def _rows(self) -> RowTable:
        return self._table if self._table is not None else self._refresh()

    def _refresh(self) -> RowTable:
        tables = read_numbered(self.root / PLAN)
        if self._table is None or len(tables) != len(self._table.plans):
            plans = tuple(rows_from_table(table) for table in tables)
            self._table = RowTable(plans, self.clips_per_shard)
        return self._table

    def _finish_growth(self) -> None:
        if self._is_grown():
            return
        # One process at a time, and each by the plan as it is then: who had read an
        # older one would shrink what another has grown meanwhile.
        with locked(self.root / PLAN / _GROWTH_LOCK):
            while not self._is_grown():
                feature_arrays.grow_arrays(self.root, self.specs, self._rows)

    def _is_grown(self) -> bool:
        return feature_arrays.visible_rows(self.root) >= len(self._refresh().rows)

    def _spec(self, name: str) -> ArraySpec:
        if name not in self._by_name:
            raise InputError(
                f"{self.root}: no output is called {name!r}; there are: {', '.join(self._by_name)}"
            )
        return self._by_name[name]

    def _next_record(self, pose_shard: int, pose_marker_sha256: str) -> RecordName | None:
        latest = list_latest(self.root / COMMITS).get(pose_shard)
        if latest is None:
            return RecordName(pose_shard, 0)
        commit = self._commit(latest)
        if not commit.void and commit.pose_marker_sha256 == pose_marker_sha256:
            return None
        return RecordName(pose_shard, latest.generation + 1)

    def _publish(self, name: RecordName, commit: FeatureCommit) -> bool:
        return create_if_absent(self.root / COMMITS / str(name), seal(commit_to_json(commit)))

    def _commit(self, name: RecordName) -> FeatureCommit:
        if name not in self._parsed:
            path = self.root / COMMITS / str(name)
            body, _ = read_record(path)
            commit = commit_from_json(body)
            found = RecordName(commit.pose_shard, commit.generation)
            if found != name or commit.configuration_hash != self.configuration_hash:
                raise StoreCorrupted(
                    f"{path}: belongs to another shard, generation or store ({found}). "
                    "Remove the foreign file."
                )
            self._parsed[name] = commit
        return self._parsed[name]

    def _read_shard(
        self,
        spec: ArraySpec,
        shard: int,
        places: npt.NDArray[np.intp],
        chosen: npt.NDArray[np.intp],
        out: npt.NDArray[Any],
    ) -> None:
        shards = range(shard, shard + 1)
        (path,) = feature_arrays.shard_paths(self.root, spec.name, shards, out.ndim)
        found = np.empty((len(places), *spec.shape), out.dtype)
        try:
            read_shard_rows(path, places.tolist(), found, self.clips_per_shard)
        except FileNotFoundError as error:
            raise self._absent(path, shard * self.clips_per_shard) from error
        out[chosen] = found

    def _absent(self, path: Path, row: int) -> InputError | StoreCorrupted:
        owners = (shard for shard, (a, b) in self._rows.ranges.items() if a <= row < b)
        if next(owners) in self.committed():
            return StoreCorrupted(
                f"{path}: is missing, though it was committed. Restore it from a backup, or remove "
                f"{self.root} and materialize the features again."
            )
        return InputError(
            f"{self.root}: the rows from {row} on are not written yet. Materialize them first, "
            "and read only rows that are valid."
        )


def _create(
    path: Path,
    specs: Sequence[ArraySpec],
    configuration: Mapping[str, Any],
    classes: Sequence[str],
    clips_per_shard: int,
) -> bool:
    feature_arrays.check_specs(specs)
    attributes = {
        "kind": FEATURES_KIND,
        "schema_version": FEATURES_SCHEMA_VERSION,
        "classes": list(classes),
        "specs": feature_arrays.specs_to_json(specs),
        "clips_per_shard": clips_per_shard,
        **describe_configuration(configuration),
    }
    return create_store(
        path,
        attributes,
        lambda draft: feature_arrays.create_arrays(draft, specs, clips_per_shard),
    )


def _comparable(
    configuration: Mapping[str, Any], specs: Sequence[ArraySpec], classes: Sequence[str]
) -> dict[str, Any]:
    stored = feature_arrays.specs_to_json(specs)
    outputs = {spec["name"]: spec for spec in stored}
    return {**configuration, "outputs": outputs, "classes": list(classes)}


def _describe(splits: Mapping[str, Sequence[str]]) -> str:
    """`default: train, val; alt: a`."""
    return "; ".join(f"{s}: {', '.join(subsets)}" for s, subsets in splits.items()) or "none"
