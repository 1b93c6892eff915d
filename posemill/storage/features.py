"""The feature store: plain Zarr arrays, a row per clip, rows owned by pose shards.

::

    features.zarr/
      zarr.json                      kind, configuration, classes, outputs; all arrays' metadata
      plan/000.parquet               the rows, in order; growth adds 001
      <output>/ clip_id/ label/ ...  arrays over the dimension `clip`
      valid/                         True once the row's features are written
      commits/s000123.g000.json      what was written for a pose shard, and from what
      commits/s000123.g000-*.begun   who writes it, or was killed over it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError, StoreCorrupted
from posemill.storage import feature_arrays
from posemill.storage.feature_arrays import VALID
from posemill.storage.feature_commits import FeatureCommits
from posemill.storage.feature_records import FeatureCommit, Unmade
from posemill.storage.feature_rows import FeatureRow, RowTable, check_labels
from posemill.storage.feature_state import FeatureState
from posemill.storage.feature_writing import Block, clips_per_block
from posemill.storage.layout import CLIPS_PER_SHARD, FEATURES_KIND, FEATURES_SCHEMA_VERSION
from posemill.storage.objects import Objects, Place
from posemill.storage.shard_rows import read_shard_rows
from posemill.storage.store_root import already_there, create_store, require_same
from posemill.transforms.outputs import OutputSpec as ArraySpec

__all__ = [
    "CLIPS_PER_SHARD",
    "ArraySpec",
    "Block",
    "FeatureCommit",
    "FeatureRow",
    "FeatureStore",
    "Unmade",
    "clips_per_block",
]

Rows = SupportsIndex | slice | Sequence[int] | npt.NDArray[Any]


class FeatureStore(FeatureCommits):
    """A feature store on a disk or in a bucket; holds no open files, so it may be pickled."""

    kind = FEATURES_KIND
    schema_version = FEATURES_SCHEMA_VERSION

    def __init__(self, objects: Objects, attributes: Mapping[str, Any]) -> None:
        """Use `create`, `open` or `open_or_create`."""
        super().__init__(objects, attributes)
        self.classes: tuple[str, ...] = tuple(attributes["classes"])
        self._by_name = {spec.name: spec for spec in self.specs}

    @classmethod
    def create(
        cls,
        place: Place,
        specs: Sequence[ArraySpec],
        configuration: Mapping[str, Any],
        classes: Sequence[str],
        clips_per_shard: int = CLIPS_PER_SHARD,
    ) -> FeatureStore:
        """A new store without rows.

        Pose shards own whole shards of `clips_per_shard` rows; where none holds
        so many clips, fewer spare the reader rows of padding. They are written by
        blocks of so many clips: `clips_per_block` tells how many are not too large.

        Raises:
            ValueError: outputs that cannot stand in one store.
            InputError: something is there, or it cannot be written there.
        """
        if not cls._create(place, specs, configuration, classes, clips_per_shard):
            raise already_there(place)
        return cls.open(place)

    @classmethod
    def open_or_create(
        cls,
        place: Place,
        specs: Sequence[ArraySpec],
        configuration: Mapping[str, Any],
        classes: Sequence[str],
        clips_per_shard: int = CLIPS_PER_SHARD,
    ) -> FeatureStore:
        """The store at `place`, made first where nothing is there.

        `clips_per_shard` is for a new store only.

        Finishes an interrupted `add_rows`, so that shards can be written.

        Raises:
            ValueError: outputs that cannot stand in one store.
            ConfigurationMismatch: it was made with another configuration, other
                outputs or other classes.
            InputError: something else is there, or it cannot be written there.
        """
        # Where another process is first, its store is the one to go on with.
        cls._create(place, specs, configuration, classes, clips_per_shard)
        store = cls.open(place)
        store.require_configuration(specs, configuration, classes)
        store._plan.finish_growth()
        return store

    @classmethod
    def _create(
        cls,
        place: Place,
        specs: Sequence[ArraySpec],
        configuration: Mapping[str, Any],
        classes: Sequence[str],
        clips_per_shard: int,
    ) -> bool:
        feature_arrays.check_specs(specs)
        own = {
            "classes": list(classes),
            "specs": feature_arrays.specs_to_json(specs),
            "clips_per_shard": clips_per_shard,
        }
        attributes = cls._describe(configuration, own)
        nothing = RowTable((), clips_per_shard)
        files = feature_arrays.metadata_files(attributes, specs, clips_per_shard, nothing)
        return create_store(place, files)

    def require_configuration(
        self, specs: Sequence[ArraySpec], configuration: Mapping[str, Any], classes: Sequence[str]
    ) -> None:
        """Refuse to go on in a store that was made in another way.

        Raises:
            ConfigurationMismatch: with a line for every difference.
        """
        asked = _comparable(configuration, specs, classes)
        require_same(self.url, asked, _comparable(self.configuration, self.specs, self.classes))

    def rows(self) -> list[FeatureRow | None]:
        """Every row's clip, in order; None is padding."""
        return list(self._plan.refresh().rows)

    def add_rows(self, rows: Sequence[FeatureRow]) -> bool:
        """Freeze more rows, of pose shards that have none yet, each shard's together.

        Returns False where another process added rows since this one looked; then
        look at `rows()` again.

        Raises:
            ValueError: a clip or a pose shard that has rows already, or a label
                that is no class.
            EnvironmentFault: the disk refuses; call again.
        """
        check_labels(rows, len(self.classes))
        return self._plan.add(rows)

    def row_objects(self, name: str, rows: tuple[int, int]) -> list[str]:
        """The objects of an output, or of `valid`, that hold the whole shards `[start, stop)`."""
        shards = range(rows[0] // self.clips_per_shard, rows[1] // self.clips_per_shard)
        num_dims = 1 if name == VALID else 1 + len(self._spec(name).shape)
        return feature_arrays.shard_names(name, shards, num_dims)

    def index_problems(self) -> dict[str, str]:
        """What the store tells of its rows otherwise than its plan: object or array to problem.

        Raises:
            EnvironmentFault: the store cannot be read.
        """
        return self._plan.problems()

    def rewrite_index(self) -> bool:
        """Write again what the store tells of its rows; True, as it is done by whoever does it.

        Raises:
            EnvironmentFault: the store cannot be written.
        """
        self._plan.rewrite()
        return True

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
        """(R,) which rows hold features.

        Raises:
            StoreCorrupted: rows are not as they were committed: somebody writes them again,
                or was killed over that, or an object is lost.
        """
        state = self.inspect()
        if state.problems:  # or they were committed anew while it looked
            state = self.inspect()
        if state.problems:
            raise self._changed(state)
        valid = np.zeros(self.num_rows, np.bool_)
        for shard, rows in state.valid.items():
            start = state.commits[shard].rows[0]
            valid[start : start + len(rows)] = rows
        return valid

    def labels(self) -> npt.NDArray[np.int32]:
        """(R,) index of each row's class, -1 for none and for padding."""
        return self._plan.table.labels()

    def label_sets(self) -> list[tuple[int, ...]]:
        """Every class of each row's clip, `labels()`' first; empty for none and for padding.

        Of rows that were planned before stores kept several labels, the first class alone.
        """
        return self._plan.table.label_sets()

    def mirror_labels(self) -> npt.NDArray[np.int32]:
        """(R,) index of each row's class when flipped, -1 for none and for padding."""
        return self._plan.table.mirror_labels()

    def subset(self, split: str, name: str) -> npt.NDArray[np.bool_]:
        """(R,) which rows are in a subset of a split, whether their features are there or not.

        Raises:
            InputError: there is no such split or subset.
        """
        return self._plan.subset(split, name)

    def _spec(self, name: str) -> ArraySpec:
        if name not in self._by_name:
            raise InputError(
                f"{self.url}: no output is called {name!r}; there are: {', '.join(self._by_name)}"
            )
        return self._by_name[name]

    def _changed(self, state: FeatureState) -> StoreCorrupted:
        found = [f"{name}: {p}" for each in state.problems.values() for name, p in each.items()]
        return StoreCorrupted(
            f"{self.url}: features of {len(state.problems)} of {len(state.commits)} pose shards "
            f"are not as they were committed: {'; '.join(found[:5])}. Run `posemill materialize` "
            "again, which makes them again, or wait for the one that does."
        )

    def _read_shard(
        self,
        spec: ArraySpec,
        shard: int,
        places: npt.NDArray[np.intp],
        chosen: npt.NDArray[np.intp],
        out: npt.NDArray[Any],
    ) -> None:
        (name,) = feature_arrays.shard_names(spec.name, range(shard, shard + 1), out.ndim)
        alone = len(chosen) == len(out)
        found = out if alone else np.empty((len(places), *spec.shape), out.dtype)
        try:
            read_shard_rows(self.objects, name, places.tolist(), found, self.clips_per_shard)
        except FileNotFoundError as error:
            raise self._absent(name, shard * self.clips_per_shard) from error
        if not alone:
            out[chosen] = found

    def _absent(self, name: str, row: int) -> InputError | StoreCorrupted:
        if self._plan.owner(row) in self.committed():
            return StoreCorrupted(
                f"{self.url}/{name}: is missing, though it was committed. Run `posemill verify "
                "--repair` on the store, then materialize again."
            )
        return InputError(
            f"{self.url}: the rows from {row} on are not written yet. Materialize them "
            "first, and read only rows that are valid."
        )


def _comparable(
    configuration: Mapping[str, Any], specs: Sequence[ArraySpec], classes: Sequence[str]
) -> dict[str, Any]:
    stored = feature_arrays.specs_to_json(specs)
    outputs = {spec["name"]: spec for spec in stored}
    return {**configuration, "outputs": outputs, "classes": list(classes)}
