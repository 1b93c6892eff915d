"""The recipes that are registered as entry points."""

from __future__ import annotations

from collections.abc import Mapping

from posemill.plugins import Plugins
from posemill.settings import parse_settings
from posemill.transforms.recipes.base import Recipe

_RECIPES: Plugins[type[Recipe]] = Plugins("posemill.recipes", "recipe")
recipe_names = _RECIPES.names
get_recipe = _RECIPES.get


def create_recipe(name: str, settings: Mapping[str, str] | None = None) -> Recipe:
    """The recipe registered as `name`, with `settings` as text in place of its defaults.

    Raises:
        InputError: no recipe has that name, it has no such setting, or a value
            that cannot be.
    """
    recipe_class = get_recipe(name)
    return recipe_class(**parse_settings(recipe_class, settings or {}))
