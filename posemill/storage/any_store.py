"""Opens a store of either kind."""

from __future__ import annotations

from posemill.errors import InputError
from posemill.storage.features import FeatureStore
from posemill.storage.layout import FEATURES_KIND, POSES_KIND
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore
from posemill.storage.store_root import read_kind


def open_store(place: Place) -> PoseStore | FeatureStore:
    """The store at `place`, of whichever kind it is.

    Raises:
        InputError: there is none.
        StoreCorrupted: its root metadata was altered.
        EnvironmentFault: the object store cannot be reached or refuses.
    """
    match read_kind(place):
        case kind if kind == POSES_KIND:
            return PoseStore.open(place)
        case kind if kind == FEATURES_KIND:
            return FeatureStore.open(place)
        case kind:
            raise InputError(
                f"{place}: expected a pose store or a feature store, found "
                f"{'none' if kind is None else repr(kind)}. Give the path of one, as made by "
                "`posemill extract` or `materialize`."
            )
