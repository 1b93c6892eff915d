"""Where stores live: a folder of a local disk, or a prefix of a bucket (`s3://bucket/name`)."""

from __future__ import annotations

import os
from pathlib import Path

from posemill.errors import InputError
from posemill.storage.objects_base import Objects
from posemill.storage.objects_local import LocalObjects
from posemill.storage.objects_remote import SCHEME, ObstoreObjects

__all__ = ["LocalObjects", "Objects", "Place", "absolute_place", "open_objects"]

Place = str | os.PathLike[str]
"""A path, or the address of an object store as a string."""


def open_objects(place: Place) -> Objects:
    """The objects below a path or an address; nothing is looked at yet.

    Raises:
        InputError: an address of a kind that is not known, or without a bucket.
        MissingDependency: obstore, which object stores need, is not installed.
    """
    text = os.fspath(place)
    if isinstance(place, str) and text.startswith(SCHEME):
        return ObstoreObjects.from_url(text)
    scheme, _, rest = text.partition(":/")
    if (scheme == "s3" or "://" in text) and rest:
        raise InputError(
            f"{text}: not a place for a store; expected a path, or s3://bucket/name as a string. "
            "Correct the place."
        )
    return LocalObjects(Path(text))


def absolute_place(place: Place) -> str:
    """The same place for a process that stands elsewhere, as a worker of a cluster does.

    Raises:
        InputError, MissingDependency: as `open_objects`.
    """
    return open_objects(place).absolute_url
