"""The recipes that are registered as entry points."""

from __future__ import annotations

from posemill.plugins import ConfigurablePlugins
from posemill.transforms.recipes.base import Recipe

_RECIPES: ConfigurablePlugins[Recipe] = ConfigurablePlugins("posemill.recipes", "recipe")
recipe_names = _RECIPES.names
get_recipe = _RECIPES.get
create_recipe = _RECIPES.create
