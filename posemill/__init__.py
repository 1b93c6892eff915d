"""Turns video datasets into training-ready pose features."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "Catalog": "posemill.storage.catalog",
    "Clip": "posemill.schema",
    "FeatureStore": "posemill.storage.features",
    "PoseSequence": "posemill.schema",
    "PoseStore": "posemill.storage.poses",
    "PosemillError": "posemill.errors",
    "Skeleton": "posemill.schema",
    "Video": "posemill.schema",
    "read_catalog": "posemill.storage.catalog",
}


def __getattr__(name: str) -> Any:
    """Import on first use: every process imports this package, and few need all of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
