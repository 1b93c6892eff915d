"""Where clips' arrays come from: a feature store, or a pose store and a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from posemill.errors import InputError
from posemill.pipelines.data.cached import CachedSource
from posemill.pipelines.data.source_base import ClipSource
from posemill.storage.features import FeatureStore
from posemill.storage.objects import Place
from posemill.transforms.recipes import get_recipe

__all__ = ["ClipSource", "open_source"]


def open_source(
    place: Place,
    recipe: str | None = None,
    settings: Mapping[str, str] | None = None,  # noqa: ARG001
    catalog: Path | None = None,  # noqa: ARG001
) -> ClipSource:
    """The clips of the store at `place`, whichever kind it is.

    Raises:
        InputError: no store is there, or one of another recipe.
    """
    store = FeatureStore.open(place)
    _require_recipe(store, recipe)
    return CachedSource(store)


def _require_recipe(store: FeatureStore, recipe: str | None) -> None:
    stored = store.configuration["recipe"]["name"]
    if recipe is not None and get_recipe(recipe).name != stored:
        raise InputError(
            f"{store.url} holds features of the recipe {stored!r}, not of {recipe!r}; leave out "
            "the recipe, or give features of it, or the poses to render them from"
        )
