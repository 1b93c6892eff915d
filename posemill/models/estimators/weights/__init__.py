"""Weights that others published: what there is, where it lies, is it whole.

published.py   what there is, as data        tables.py    every estimator's, by entry points
manifest.py    what was pulled, and hashes   cached.py    what is here, checked; never downloads
pull.py        fetches: web.py, wheel.py and archive.py, hub.py
"""

from posemill.models.estimators.weights.cached import (
    CachedWeights,
    WeightsState,
    cached_weights,
    find_weights,
    weights_state,
)
from posemill.models.estimators.weights.published import (
    HubRepo,
    Packaged,
    PublishedFile,
    PublishedWeights,
    WebFile,
    Wheel,
)
from posemill.models.estimators.weights.tables import (
    all_published,
    choose_published,
    published_by,
)

__all__ = [
    "CachedWeights",
    "HubRepo",
    "Packaged",
    "PublishedFile",
    "PublishedWeights",
    "WebFile",
    "WeightsState",
    "Wheel",
    "all_published",
    "cached_weights",
    "choose_published",
    "find_weights",
    "published_by",
    "weights_state",
]
