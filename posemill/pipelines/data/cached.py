"""Clips whose arrays lie in a feature store."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.data.clips import ClipSet, select_rows
from posemill.pipelines.data.source_base import HELD_BYTES
from posemill.schema import Skeleton
from posemill.storage.features import FeatureStore
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe, get_recipe
from posemill.transforms.skeletons import get_skeleton


@dataclass(frozen=True)
class HeldRows:
    """Rows of a feature store in memory; no copy of them goes into a pickle."""

    place: dict[int, int]
    """Row of the store to its place in the arrays."""
    arrays: dict[str, npt.NDArray[Any]]

    def __reduce__(self) -> tuple[Any, ...]:
        return HeldRows, ({}, {})


@dataclass(frozen=True)
class CachedSource:
    """The clips of a feature store; satisfies `ClipSource`."""

    store: FeatureStore
    held: HeldRows = field(default_factory=lambda: HeldRows({}, {}), repr=False)

    @property
    def url(self) -> str:
        return self.store.url

    @property
    def classes(self) -> tuple[str, ...]:
        return self.store.classes

    @cached_property
    def skeleton(self) -> Skeleton:
        return get_skeleton(self.store.configuration["skeleton"])

    @cached_property
    def recipe(self) -> Recipe:
        return stored_recipe(self.store)

    @property
    def specs(self) -> tuple[OutputSpec, ...]:
        return tuple(self.store.specs)

    @property
    def configuration(self) -> dict[str, Any]:
        return self.store.configuration

    @property
    def configuration_hash(self) -> str:
        return self.store.configuration_hash

    @property
    def start_method(self) -> str | None:
        return None if self.store.objects.survives_fork else "spawn"

    def select(self, split: str, subset: str) -> ClipSet:
        inside = self.store.subset(split, subset)
        valid, rows = self.store.valid(), self.store.rows()
        chosen = [(row, valid[n]) for n, row in enumerate(rows) if row is not None and inside[n]]
        return select_rows(
            self.url,
            (split, subset),
            [row for row, _ in chosen],
            [bool(there) for _, there in chosen],
            lacking="has features; materialize them first",
        )

    def holding(self, clips: ClipSet) -> CachedSource:
        rows = [self._rows[clip_id] for clip_id in clips.clip_ids]
        bytes_per_clip = sum(prod(s.shape) * np.dtype(s.dtype).itemsize for s in self.specs)
        if len(rows) * bytes_per_clip > HELD_BYTES:
            return self
        place = {row: number for number, row in enumerate(rows)}
        arrays = {spec.name: self.store.read(spec.name, rows) for spec in self.specs}
        return CachedSource(self.store, HeldRows(place, arrays))

    def dropping(self, probability: float) -> CachedSource:
        if probability > 0:
            raise InputError(
                f"{self.url} holds maps that are drawn already, so that no joint can be dropped; "
                "give the pose store and the recipe instead, or drop none"
            )
        return self

    def read(
        self,
        clips: ClipSet,
        number: int,
        rng: np.random.Generator,  # noqa: ARG002  (nothing here is random)
    ) -> dict[str, npt.NDArray[Any]]:
        row = self._rows[clips.clip_ids[number]]
        place = self.held.place.get(row)
        if place is not None:
            return {name: array[place] for name, array in self.held.arrays.items()}
        return {spec.name: self.store.read(spec.name, row) for spec in self.specs}

    @cached_property
    def _rows(self) -> dict[str, int]:
        rows = enumerate(self.store.rows())
        return {row.clip_id: number for number, row in rows if row is not None}


def stored_recipe(store: FeatureStore) -> Recipe:
    """The recipe that a feature store was rendered by.

    Raises:
        InputError: there is no such recipe here, or it has no such settings.
    """
    told = store.configuration["recipe"]
    try:
        return get_recipe(told["name"])(**told["settings"])
    except TypeError as error:
        raise InputError(
            f"{store.url} was rendered by another version of the recipe {told['name']}, whose "
            f"settings were {told['settings']} ({error}); materialize the poses again"
        ) from error
