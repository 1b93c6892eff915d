"""Where clips' arrays come from: feature stores, or pose stores and recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from posemill.errors import InputError
from posemill.pipelines.data.cached import CachedSource
from posemill.pipelines.data.joined import JoinedSource
from posemill.pipelines.data.rendered import RenderedSource
from posemill.pipelines.data.source_base import ClipSource
from posemill.pipelines.render_inputs import read_render_inputs
from posemill.settings import as_text, parse_settings
from posemill.storage.features import FeatureStore
from posemill.storage.layout import POSES_KIND
from posemill.storage.objects import Place
from posemill.storage.store_root import read_kind
from posemill.transforms.recipes import create_recipe, get_recipe

__all__ = ["ClipSource", "open_joined", "open_source"]


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
        settings: of the recipe, as text; for a feature store checked.
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
    if recipe is not None or settings:
        _require_recipe(source, recipe or source.recipe.name, settings or {})
    return source


def open_joined(
    places: Sequence[Place],
    recipes: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    catalog: Path | None = None,
    default: str | None = None,
) -> ClipSource:
    """The clips of one store and recipe, or of several whose arrays are joined by clip.

    Args:
        places: feature stores, each with its own recipe, and pose stores, each
            rendered by all `recipes`.
        recipes: of a pose store; those of feature stores must be among them, if any.
        settings: as text; of each recipe those that it has.
        catalog: as for `open_source`.
        default: recipe of a pose store where `recipes` names none.

    Raises:
        InputError: as `open_source`; a recipe or a setting that nothing has; or
            sources that cannot be joined, see `JoinedSource`.
        StoreCorrupted: a store is not as it was committed.
    """
    parts = [
        open_source(place, recipe, _settings_of(recipe, recipes, settings or {}), catalog)
        for place in places
        for recipe in _recipes_of(place, recipes, default)
    ]
    found = {part.recipe.name for part in parts}
    if lacking := [recipe for recipe in recipes if recipe not in found]:
        raise InputError(
            f"{' and '.join(part.url for part in parts)} have {', '.join(sorted(found))} and not "
            f"{', '.join(lacking)}; give features of it, too, or the poses to render it from"
        )
    return parts[0] if len(parts) == 1 else JoinedSource.of(parts)


def _recipes_of(place: Place, recipes: Sequence[str], default: str | None) -> Sequence[str | None]:
    """Those to open `place` by: of a feature store its own, where that is among several."""
    if read_kind(place) == POSES_KIND:
        return recipes or (default,)
    if len(recipes) <= 1:
        return recipes or (None,)
    stored = FeatureStore.open(place).configuration["recipe"]["name"]
    return (stored if stored in recipes else recipes[0],)


def _settings_of(
    recipe: str | None, recipes: Sequence[str], settings: Mapping[str, str]
) -> dict[str, str]:
    """Those of `settings` that `recipe` has, and those that none of `recipes` has, to be refused
    with it."""
    if recipe is None or len(recipes) <= 1:
        return dict(settings)
    declared = {name: {each.name for each in fields(get_recipe(name))} for name in recipes}
    return {
        key: value
        for key, value in settings.items()
        if key in declared[recipe] or not any(key in names for names in declared.values())
    }


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
