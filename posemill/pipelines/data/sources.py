"""Where clips' arrays come from: a feature store, or a pose store and a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from posemill.errors import InputError
from posemill.pipelines.data.cached import CachedSource
from posemill.pipelines.data.rendered import RenderedSource
from posemill.pipelines.data.source_base import ClipSource
from posemill.pipelines.render_inputs import read_render_inputs
from posemill.settings import as_text, parse_settings
from posemill.storage.features import FeatureStore
from posemill.storage.layout import POSES_KIND
from posemill.storage.objects import Place
from posemill.storage.store_root import read_kind
from posemill.transforms.recipes import create_recipe

__all__ = ["ClipSource", "open_source"]


def open_source(
    place: Place,
    recipe: str | None = None,
    settings: Mapping[str, str] | None = None,
    catalog: Path | None = None,
) -> ClipSource:
    """The clips of the store at `place`, whichever kind it is.

    Args:
        place: a feature store, or a pose store to render from.
        recipe: needed for a pose store; for a feature store checked.
        settings: of the recipe, as text.
        catalog: clips and labels of a pose store; None takes those that it was made from.

    Raises:
        InputError: no store is there, one of another recipe, or one that lacks what
            the recipe needs.
        StoreCorrupted: the store is not as it was committed.
    """
    if read_kind(place) == POSES_KIND:
        return _open_poses(place, recipe, settings or {}, catalog)
    store = FeatureStore.open(place)
    source = CachedSource(store)
    if recipe is not None:
        _require_recipe(source, recipe, settings or {})
    return source


def _open_poses(
    place: Place, recipe: str | None, settings: Mapping[str, str], catalog: Path | None
) -> RenderedSource:
    if recipe is None:
        raise InputError(
            f"{place} holds poses: name the recipe to render them by, such as volume or jmrn, or "
            "give the features that were materialized from them"
        )
    made = create_recipe(recipe, settings)
    return RenderedSource.of(read_render_inputs(place, made, catalog, seed=0))


def _require_recipe(source: CachedSource, name: str, settings: Mapping[str, str]) -> None:
    """Raises:
    InputError: the features are of another recipe or of other settings.
    """
    stored = source.store.configuration["recipe"]["name"]
    if name != stored:
        raise InputError(
            f"{source.url} holds features of the recipe {stored!r}, not of {name!r}; leave out "
            "the recipe, or give features of it, or the poses to render them from"
        )
    wanted = parse_settings(type(source.recipe), settings)
    different = {
        key: (value, getattr(source.recipe, key))
        for key, value in wanted.items()
        if value != getattr(source.recipe, key)
    }
    if different:
        told = ", ".join(f"{k}={as_text(ours)}" for k, (_, ours) in different.items())
        asked = ", ".join(f"{k}={as_text(value)}" for k, (value, _) in different.items())
        raise InputError(
            f"{source.url} holds features of {name} with {told}, not with {asked}; leave that "
            "out, or give features that were materialized so, or the poses to render them from"
        )
