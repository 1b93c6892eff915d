"""Poses into pixels on the device that trains: a loader ships coordinates, not maps.

`collate_placed` makes a batch of what recipes' `place` gives, and `draw_module`
what a network reads of it.
"""

from posemill.models.rasterize.batch import PlacedBatch, Pointers, collate_placed
from posemill.models.rasterize.joints import DrawJoints
from posemill.models.rasterize.limbs import DrawLimbs
from posemill.models.rasterize.potion import DrawPotion
from posemill.models.rasterize.recipes import DrawRecipe, draw_module

__all__ = [
    "DrawJoints",
    "DrawLimbs",
    "DrawPotion",
    "DrawRecipe",
    "PlacedBatch",
    "Pointers",
    "collate_placed",
    "draw_module",
]
