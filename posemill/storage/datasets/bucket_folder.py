"""A prefix of a bucket as a catalog; see `tree` for what its sub-folders mean."""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from pathlib import Path, PurePosixPath

from posemill.errors import InputError
from posemill.storage.catalog import Catalog
from posemill.storage.datasets.tree import (
    MIRROR_FILE,
    FoundVideo,
    classes_of,
    is_video,
    read_mirrors,
    tree_catalog,
)
from posemill.storage.durable import input_faults
from posemill.storage.files.location import Location, join
from posemill.storage.files.remote import RemoteFacts, remote_files


def index_bucket_folder(
    address: str, *, name: str | None = None, mirror_labels: str | os.PathLike[str] | None = None
) -> Catalog:
    """Every video below `s3://bucket/prefix` or `gs://bucket/prefix`, from a listing alone.

    `mirror_labels` as for `index_folder`: a local file, or `mirror_labels.json` below the
    address, where there is one.

    Raises:
        InputError: an address that cannot be listed, no video below it, a key that cannot be
            an id, or a mirror file of other classes.
        EnvironmentFault: no answer, or a refusal.
    """
    root = address.rstrip("/")
    location = Location.parse(root)
    listed = dict(remote_files(location.scheme).list(location))
    found = [
        FoundVideo(path, facts.num_bytes or 0, facts.identity)
        for key, facts in listed.items()
        if is_video(path := PurePosixPath(key))
    ]
    seen = classes_of(file.path for file in found)
    mirrors = _mirrors(root, mirror_labels, listed, seen) if found else {}
    return tree_catalog(root, name or root.rpartition("/")[2], found, mirrors)


def _mirrors(
    root: str,
    given: str | os.PathLike[str] | None,
    listed: Mapping[str, RemoteFacts],
    seen: Set[str],
) -> dict[str, str]:
    if given is not None:
        with input_faults(Path(given)):
            return read_mirrors(str(given), Path(given).read_bytes(), seen)
    if MIRROR_FILE not in listed:
        return {}
    location = Location.parse(join(root, MIRROR_FILE))
    try:
        pieces = remote_files(location.scheme).read(location, listed[MIRROR_FILE])
        return read_mirrors(str(location), b"".join(pieces), seen)
    except FileNotFoundError as error:
        raise InputError(f"{location}: has just gone. Index the videos again.") from error
