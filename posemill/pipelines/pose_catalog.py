"""The catalog whose clips are cut out of the videos of a pose store."""

from __future__ import annotations

from pathlib import Path

from posemill.errors import InputError
from posemill.storage.catalog import Catalog, read_catalog
from posemill.storage.poses import PoseStore


def catalog_of(poses: PoseStore, given: Path | None) -> Catalog:
    """The catalog given, else the one that the poses were made from.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    path = catalog_path(poses, given)
    try:
        return read_catalog(path)
    except InputError as error:
        if given is not None:
            raise
        raise InputError(f"{error} Or say where it is now with --catalog.") from error


def catalog_path(poses: PoseStore, given: Path | None) -> Path:
    """Where that catalog is, absolutely.

    Raises:
        InputError: none is given, and the poses name none.
    """
    if given is not None:
        return given.absolute()
    if poses.catalog_hint is None:
        raise InputError(f"{poses.url} names no catalog; give one with --catalog")
    return Path(poses.catalog_hint)
