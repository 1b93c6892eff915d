"""Recipes: named, typed ways from a clip's poses to the arrays that a model trains on."""

from posemill.transforms.recipes.base import Recipe
from posemill.transforms.recipes.registry import create_recipe, recipe_names

__all__ = ["Recipe", "create_recipe", "recipe_names"]
