"""Views that a recipe makes itself: of pictures and poses, cropped and mirrored together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.mirrors import MapKind, Maps
from posemill.pipelines.data.source_base import ClipSource
from posemill.pipelines.data.view_base import Arrays, Views
from posemill.schema import Skeleton
from posemill.transforms.recipes.canvas import VALID_HW
from posemill.transforms.recipes.specs import FRAME_INDEX, PICTURE_INDEX
from posemill.transforms.recipes.views import ViewRecipe

_BESIDE = (FRAME_INDEX, PICTURE_INDEX, VALID_HW.name)
"""Outputs that tell where arrays are from, and are never all 0."""


@dataclass(frozen=True)
class RecipeViews(Views):
    """Of a `ViewRecipe`, which crops by its own settings; only the flip is the augmentation's."""

    recipe: ViewRecipe
    skeleton: Skeleton

    @classmethod
    def of(cls, source: ClipSource, recipe: ViewRecipe, augmentation: Augmentation) -> RecipeViews:
        """Of a source of that recipe.

        Raises:
            InputError: an augmentation of maps, which these are not.
        """
        defaults = Augmentation()
        for name in ("beta_px", "gamma_px", "crop_hw", "area", "aspect"):
            if getattr(augmentation, name) != getattr(defaults, name):
                raise InputError(
                    f"the recipe {recipe.name} of {source.url} crops its pictures and poses by its "
                    f"own settings; leave out augmentation.{name}, got "
                    f"{getattr(augmentation, name)}"
                )
        return cls(augmentation, recipe, source.skeleton)

    @property
    def kinds(self) -> tuple[MapKind, ...]:
        return ()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {spec.name: spec.shape for spec in self.recipe.view_outputs(self.skeleton)}

    def train(
        self, arrays: Mapping[str, Maps], rng: np.random.Generator, count: int = 1
    ) -> tuple[list[Arrays], bool]:
        """`count` is 1: only maps have a jitter by which two views of a clip could differ."""
        if count != 1:
            raise ValueError(f"views of {self.recipe.name} are drawn one by one, got {count}")
        flip = self.augmentation.flip
        view, mirrored = self.recipe.draw_view(dict(arrays), self.skeleton, rng, flip=flip)
        return [view], mirrored

    def test(self, arrays: Mapping[str, Maps], *, flip: bool = False) -> Arrays:
        parts = [
            self.recipe.fixed_views(dict(arrays), self.skeleton, mirrored=mirrored)
            for mirrored in ((False, True) if flip else (False,))
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def shows_nothing(self, arrays: Mapping[str, Maps]) -> bool:
        return not any(values.any() for name, values in arrays.items() if name not in _BESIDE)
