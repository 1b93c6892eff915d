"""Which views a source's recipes have, and what of an augmentation they cannot have."""

from __future__ import annotations

from collections.abc import Sequence

from posemill.errors import InputError
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.canvas import CubeViews, EncodedViews
from posemill.pipelines.data.joined import JoinedSource
from posemill.pipelines.data.joined_views import JoinedViews
from posemill.pipelines.data.mirrors import MapKind, map_kind
from posemill.pipelines.data.recipe_views import RecipeViews
from posemill.pipelines.data.source_base import ClipSource
from posemill.pipelines.data.view_base import Views
from posemill.pipelines.data.volumes import VolumeViews
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes.canvas import VALID_HW
from posemill.transforms.recipes.potion import PotionRecipe, TimeEncodedRecipe
from posemill.transforms.recipes.tempposeconv import CubeRecipe
from posemill.transforms.recipes.views import ViewRecipe
from posemill.transforms.skeletons import jitter_groups

__all__ = ["Views", "create_views", "view_specs"]


def view_specs(source: ClipSource) -> Sequence[OutputSpec]:
    """Dtypes and scales of a view's arrays, by their names: those of what is stored, or, where
    the recipe makes the views itself, of what it makes."""
    recipe = source.recipe
    return recipe.view_outputs(source.skeleton) if isinstance(recipe, ViewRecipe) else source.specs


def create_views(source: ClipSource, augmentation: Augmentation) -> Views:
    """The views of the source's recipe, or of all those that are joined, in step.

    Raises:
        InputError: no model is trained on the recipe's arrays, or they cannot be
            cropped, jittered or flipped as the augmentation says.
    """
    if isinstance(source, JoinedSource):
        parts = tuple(create_views(part, augmentation) for part in source.parts)
        return JoinedViews(augmentation, parts)
    recipe = source.recipe
    if isinstance(recipe, ViewRecipe):
        return RecipeViews.of(source, recipe, augmentation)
    kind = map_kind(recipe, source.skeleton)
    if kind is None:
        raise InputError(
            f"{source.url}: no model is trained on the recipe {recipe.name}; use potion, jmrn, "
            "volume, limb-volume, one of tempposeconv-*, or one of pictures, see posemill recipes"
        )
    _check(source, kind, augmentation)
    groups = jitter_groups(source.skeleton) if augmentation.gamma_px else ()
    specs = {spec.name: spec for spec in source.specs}
    shape = specs.pop(kind.name).shape
    if isinstance(recipe, TimeEncodedRecipe):
        wanted = set(specs) - {VALID_HW.name} if isinstance(recipe, PotionRecipe) else set()
        beside = {name: spec.shape for name, spec in specs.items() if name in wanted}
        mirror = source.skeleton.mirror
        return EncodedViews(augmentation, kind, shape, groups, mirror, beside)
    if isinstance(recipe, CubeRecipe):
        return CubeViews(augmentation, kind, shape, groups, recipe.num_clips)
    return VolumeViews(augmentation, kind, shape, groups, recipe.draws_anew)


def _check(source: ClipSource, kind: MapKind, augmentation: Augmentation) -> None:
    """Raises:
    InputError: the maps cannot be changed as the augmentation says.
    """
    recipe = source.recipe
    if augmentation.flip > 0 and kind.flip is None:
        raise InputError(
            f"{kind.name} of {source.url} cannot be mirrored: its channels are an estimator's own, "
            "which do not tell left from right; train with flip 0"
        )
    if augmentation.gamma_px and kind.joint_axis is None:
        raise InputError(
            f"{kind.name} of {source.url} has no maps of single joints to jitter by groups; train "
            f"with gamma 0, got {augmentation.gamma_px} px"
        )
    stored_hw = next(spec for spec in source.specs if spec.name == kind.name).shape[-2:]
    _check_crop(source.url, augmentation.crop_hw, (stored_hw[0], stored_hw[1]))
    farthest, least = augmentation.beta_px + augmentation.gamma_px, min(stored_hw)
    if farthest >= least:
        raise InputError(
            f"a jitter of up to {farthest} px leaves nothing on the maps of {source.url}, "
            f"{stored_hw[0]} x {stored_hw[1]} px; give a lower beta_px and gamma_px"
        )
    is_cropped = recipe.draws_anew and not isinstance(recipe, CubeRecipe)
    if is_cropped and augmentation.crop_hw not in ((0, 0), stored_hw):
        raise InputError(
            f"{recipe.name} with draw=train is rendered as the view that is trained on, "
            f"{stored_hw[0]} x {stored_hw[1]} px; set its size, and leave out the crop"
        )


def _check_crop(url: str, crop_hw: tuple[int, int], stored_hw: tuple[int, int]) -> None:
    if crop_hw == (0, 0):
        return
    if not all(1 <= view <= stored for view, stored in zip(crop_hw, stored_hw, strict=True)):
        raise InputError(
            f"a crop of {crop_hw[0]} x {crop_hw[1]} px does not fit the maps of {url}, "
            f"{stored_hw[0]} x {stored_hw[1]} px; give height and width within that"
        )
