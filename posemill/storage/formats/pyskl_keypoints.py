"""Which of the files below a folder has the keypoints of which clip."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from posemill.errors import UnreadablePoses
from posemill.storage.formats.pyskl_file import read_pyskl_file
from posemill.storage.formats.pyskl_sources import pickles_below
from posemill.storage.pickles.values import ArrayPlace


@dataclass(frozen=True, slots=True)
class _Listing:
    files: dict[str, Path]
    """By the names of the clips."""
    stamps: dict[Path, int]
    """Times of all folders, which change with each file that comes or goes."""

    def tells_that_none_has(self, name: str) -> bool:
        return name not in self.files and all(
            folder.exists() and folder.stat().st_mtime_ns == stamp
            for folder, stamp in self.stamps.items()
        )


def keypoints_of(folder: Path, name: str) -> tuple[Path, ArrayPlace] | None:
    """The file that has a clip's keypoints by now, and where in it; None where none has.

    Raises:
        UnreadablePoses: a file cannot be looked through, or two have the same clip.
        OSError: one cannot be read.
    """
    found = _look_up(folder, name)
    if found is None and not _listing(folder).tells_that_none_has(name):
        forget()
        found = _look_up(folder, name)
    return found


def forget() -> None:
    """Have the files looked through again."""
    _listing.cache_clear()


def file_of(folder: Path, name: str) -> Path | None:
    """The file that `keypoints_of` finds."""
    found = keypoints_of(folder, name)
    return None if found is None else found[0]


def _look_up(folder: Path, name: str) -> tuple[Path, ArrayPlace] | None:
    path = _listing(folder).files.get(name)
    if path is None or not path.exists():
        return None
    place = read_pyskl_file(path).keypoints.get(name)
    return None if place is None else (path, place)


@lru_cache(maxsize=1)
def _listing(folder: Path) -> _Listing:
    files: dict[str, Path] = {}
    stamps = {Path(each): Path(each).stat().st_mtime_ns for each, *_ in os.walk(folder)}
    for path in pickles_below(folder):
        for name in read_pyskl_file(path).keypoints:
            if files.setdefault(name, path) != path:
                raise UnreadablePoses(
                    f"{path}: has keypoints of {name!r}, and so has {files[name]}; move one of "
                    "them out of the folder"
                )
    return _Listing(files, stamps)
