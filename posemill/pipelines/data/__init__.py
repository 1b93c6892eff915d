"""The reading side of training: clips, views of them, and the order in which they come."""

from posemill.pipelines.data.maps import (
    Augmentation,
    ClipSet,
    EpochSampler,
    MapDataset,
    Sample,
    map_shape,
    names_a_side,
    recipe_name,
    select_clips,
)

__all__ = [
    "Augmentation",
    "ClipSet",
    "EpochSampler",
    "MapDataset",
    "Sample",
    "map_shape",
    "names_a_side",
    "recipe_name",
    "select_clips",
]
