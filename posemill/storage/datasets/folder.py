"""A folder of videos as a catalog; see `tree` for what its sub-folders mean."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from pathlib import Path, PurePosixPath

from posemill.errors import InputError
from posemill.storage.catalog import Catalog
from posemill.storage.datasets.tree import (
    MIRROR_FILE,
    VIDEO_SUFFIXES,
    FoundVideo,
    classes_of,
    read_mirrors,
    tree_catalog,
)
from posemill.storage.durable import input_faults
from posemill.storage.file_tree import files_below
from posemill.storage.identity import file_identity


def index_folder(
    root: str | os.PathLike[str],
    *,
    name: str | None = None,
    mirror_labels: str | os.PathLike[str] | None = None,
) -> Catalog:
    """Every video below `root`, one clip each; symbolic links are followed.

    `mirror_labels` (default: `root/mirror_labels.json`, where there is one) is a
    JSON object of class names: `{"wave_left": "wave_right"}` says that either is
    the other one flipped; a class may be its own mirror. A class that only this
    file names is a class without videos: a part of a dataset keeps its classes.

    Raises:
        InputError: no such folder, no video in it, a file or folder in it that
            cannot be read or whose path cannot be an id, or a mirror file of
            other classes.
    """
    folder = Path(root)
    remedy = "Correct its permissions, or move it out of the dataset, then index again."
    with input_faults(folder, remedy):
        return _index(folder, name, mirror_labels)


def _index(folder: Path, name: str | None, mirror_labels: str | os.PathLike[str] | None) -> Catalog:
    paths = sorted(_find_videos(folder))
    mirrors = _mirrors(folder, mirror_labels, classes_of(paths)) if paths else {}
    found = [_found(folder, path) for path in paths]
    return tree_catalog(str(folder.resolve()), name or folder.resolve().name, found, mirrors)


def _find_videos(folder: Path) -> Iterator[PurePosixPath]:
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder. Give the folder of the videos.")
    for path in files_below(folder):
        if path.suffix.lower() in VIDEO_SUFFIXES and (folder / path).is_file():
            yield path


def _found(folder: Path, path: PurePosixPath) -> FoundVideo:
    file = folder / path
    return FoundVideo(path, file.stat().st_size, file_identity(file))


def _mirrors(folder: Path, given: str | os.PathLike[str] | None, seen: Set[str]) -> dict[str, str]:
    path = folder / MIRROR_FILE if given is None else Path(given)
    if given is None and not path.is_file():
        return {}
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: not readable as JSON: {error}") from error
    return read_mirrors(str(path), text, seen)
