"""How maps of each recipe are mirrored, and which of their axes counts joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.schema import Skeleton
from posemill.transforms.augment import flip_maps, flip_part_fields
from posemill.transforms.recipes import Recipe
from posemill.transforms.recipes.potion import TimeEncodedRecipe
from posemill.transforms.recipes.tempposeconv import CubeRecipe, JointCubeRecipe, PartCubeRecipe
from posemill.transforms.recipes.volume import LimbVolumeRecipe, VolumeRecipe
from posemill.transforms.skeletons import limb_mirror

Maps = npt.NDArray[Any]


@dataclass(frozen=True)
class MapKind:
    """Maps (..., H, W) of a recipe: their output, and what may be done to them."""

    name: str
    """Of the output."""
    joint_axis: int | None
    """From the end, as groups of people stand before it; None where there is no such axis."""
    flip: Callable[[Maps], Maps] | None
    """None where what the channels become in a mirror is not known."""


def map_kind(recipe: Recipe, target: Skeleton) -> MapKind | None:
    """Of the recipe's maps, in the skeleton `target`; None where it draws none that are known."""
    name = recipe.outputs(target)[0].name
    if isinstance(recipe, TimeEncodedRecipe | VolumeRecipe):
        return _of_joints(name, -4, target)
    if isinstance(recipe, LimbVolumeRecipe):
        limbs = tuple(mirrored.limb for mirrored in limb_mirror(target))
        return MapKind(name, None, partial(flip_maps, mirror=limbs, joint_axis=-4))
    if isinstance(recipe, JointCubeRecipe):
        return _of_joints(name, -3, target)
    if isinstance(recipe, PartCubeRecipe) and not recipe.fields:
        return MapKind(name, None, partial(flip_part_fields, mirror=limb_mirror(target), axis=-3))
    return MapKind(name, None, None) if isinstance(recipe, CubeRecipe) else None


def mirror_joints(values: Maps, mirror: tuple[int, ...]) -> Maps:
    """Numbers (..., K, C) of joints, in the order of the mirrored joints."""
    return np.take(values, mirror, axis=-2)


def _of_joints(name: str, axis: int, target: Skeleton) -> MapKind:
    return MapKind(name, axis, partial(flip_maps, mirror=target.mirror, joint_axis=axis))
