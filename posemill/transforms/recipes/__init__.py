"""Recipes: named, typed ways from a clip to the arrays that a model trains on."""

from posemill.settings import setting
from posemill.transforms.recipes.base import Recipe
from posemill.transforms.recipes.registry import create_recipe, get_recipe, recipe_names

__all__ = ["Recipe", "create_recipe", "get_recipe", "recipe_names", "setting"]
