"""One clip's features as values with named axes, whatever store or recipe they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, Skeleton
from posemill.transforms.outputs import OutputSpec, dequantise
from posemill.transforms.recipes.specs import FRAME_INDEX, PICTURE_INDEX
from posemill.transforms.skeletons import get_skeleton

SCORE = "score"
BESIDE = (FRAME_INDEX, PICTURE_INDEX, SCORE)
"""Outputs that tell more about the one that is drawn."""


@dataclass(frozen=True, slots=True)
class NamedArray:
    """Values and the names of their axes."""

    dims: tuple[str, ...]
    values: Float32

    def arranged(self, *dims: str) -> Float32:
        """The values with the axes `dims`, in that order.

        An axis that is not there gets size 1; along one that is not asked for,
        the first entry is taken.
        """
        first = tuple(slice(None) if dim in dims else 0 for dim in self.dims)
        have = [dim for dim in self.dims if dim in dims]
        moved = self.values[first].transpose([have.index(dim) for dim in dims if dim in have])
        return np.expand_dims(moved, [n for n, dim in enumerate(dims) if dim not in have])

    def size(self, dim: str) -> int:
        """Length of an axis; 1 where it is not there."""
        return self.values.shape[self.dims.index(dim)] if dim in self.dims else 1


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """The output of one clip that is drawn, and what helps to understand it."""

    name: str
    """Of the output."""
    array: NamedArray
    frame_index: NamedArray | None = None
    score: NamedArray | None = None
    skeleton: Skeleton | None = None
    settings: Mapping[str, Any] | None = None
    """Of the recipe."""

    def setting(self, key: str) -> str | None:
        """A setting of the recipe; None where it has no such."""
        value = (self.settings or {}).get(key)
        return None if value is None else str(value)

    @property
    def time_dim(self) -> str:
        """The axis along which time passes: pictures may be of other frames than poses."""
        return "picture" if "picture" in self.array.dims else "time"

    def time_names(self) -> list[str]:
        """A caption for every time: of the first view, as the maps are."""
        times = range(self.array.size(self.time_dim))
        if self.frame_index is None:
            return [f"t {time}" for time in times]
        frames = self.frame_index.arranged(self.time_dim).astype(int)
        return [f"t {time}, frame {frames[time]}" for time in times]


def clip_features(
    name: str,
    specs: Sequence[OutputSpec],
    stored: Mapping[str, npt.NDArray[Any]],
    configuration: Mapping[str, Any],
) -> ClipFeatures:
    """The output `name` of one clip, with the values that `stored` numbers stand for.

    Args:
        stored: arrays of the clip; those of `BESIDE` are taken where they are there.
        configuration: of the feature store, which names skeleton and recipe.
    """
    arrays = {
        spec.name: NamedArray(spec.dims, dequantise(stored[spec.name], spec))
        for spec in specs
        if spec.name in stored
    }
    index = PICTURE_INDEX if "picture" in arrays[name].dims else FRAME_INDEX
    skeleton = configuration.get("skeleton")
    return ClipFeatures(
        name=name,
        array=arrays[name],
        frame_index=arrays.get(index),
        score=arrays.get(SCORE),
        skeleton=None if skeleton is None else get_skeleton(skeleton),
        settings=configuration.get("recipe", {}).get("settings"),
    )
