"""Poses into pixels on the device that trains: a loader ships coordinates, not maps."""

from posemill.models.rasterize.batch import PlacedBatch, Pointers, collate_placed
from posemill.models.rasterize.joints import DrawJoints

__all__ = ["DrawJoints", "PlacedBatch", "Pointers", "collate_placed"]
