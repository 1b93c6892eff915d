"""Turns video datasets into training-ready pose features."""

from posemill.errors import PosemillError
from posemill.schema import Clip, PoseSequence, Skeleton, Video
from posemill.storage.catalog import Catalog, read_catalog
from posemill.storage.features import FeatureStore
from posemill.storage.poses import PoseStore

__all__ = [
    "Catalog",
    "Clip",
    "FeatureStore",
    "PoseSequence",
    "PoseStore",
    "PosemillError",
    "Skeleton",
    "Video",
    "read_catalog",
]
