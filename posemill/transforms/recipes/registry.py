"""Finds recipes by name through the entry point group `posemill.recipes`.

A plugin registers `name = "package.module:RecipeClass"`. Ours are registered
the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import cast

from posemill.errors import InputError
from posemill.settings import did_you_mean, parse_settings
from posemill.transforms.recipes.base import Recipe

ENTRY_POINT_GROUP = "posemill.recipes"


def recipe_names() -> list[str]:
    """The names of all registered recipes, sorted."""
    return sorted(entry_points(group=ENTRY_POINT_GROUP).names)


def get_recipe(name: str) -> type[Recipe]:
    """The class of the recipe registered as `name`.

    Raises:
        InputError: no recipe has that name.
    """
    found = entry_points(group=ENTRY_POINT_GROUP, name=name)
    if not found:
        names = recipe_names()
        raise InputError(
            f"no recipe is called {name!r}{did_you_mean(name, names)}; there are: "
            f"{', '.join(names)}"
        )
    return cast(type[Recipe], next(iter(found)).load())


def create_recipe(name: str, settings: Mapping[str, str] | None = None) -> Recipe:
    """The recipe registered as `name`, with `settings` as text in place of its defaults.

    Raises:
        InputError: no recipe has that name, it has no such setting, or a value
            that cannot be.
    """
    recipe_class = get_recipe(name)
    return recipe_class(**parse_settings(recipe_class, settings or {}))
