"""A tree of videos as a catalog, wherever it is: sub-folders are subsets and classes.

::

    root/train/wave_left/0001.mp4    subset "train" of split "default", class "wave_left"
    root/wave_left/0001.mp4          no subset, class "wave_left"
    root/0001.mp4                    neither
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import PurePosixPath

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel, Video, require_id
from posemill.storage.catalog import Catalog
from posemill.storage.files.location import Location, join, relative_uri

VIDEO_SUFFIXES = frozenset(
    {
        *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov"),
        *(".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"),
    }
)
SUBSETS = ("train", "val", "test")
SPLIT = "default"
MIRROR_FILE = "mirror_labels.json"


@dataclass(frozen=True, slots=True)
class FoundVideo:
    """A video's file in a tree."""

    path: PurePosixPath
    """Below the root."""
    num_bytes: int
    identity: str


def tree_catalog(
    root: str, name: str, found: Iterable[FoundVideo], mirrors: Mapping[str, str]
) -> Catalog:
    """One clip for each video; `mirrors` names further classes.

    Raises:
        InputError: there is none, or a path cannot be an id or a place.
    """
    files = sorted(found, key=lambda file: file.path)
    if not files:
        raise InputError(
            f"{root}: no video in it. Expected files with one of the suffixes "
            f"{' '.join(sorted(VIDEO_SUFFIXES))}, at any depth. Give the folder that holds them."
        )
    ids = video_ids([file.path for file in files])
    return Catalog(
        name=name,
        root=root,
        videos=tuple(_video(root, file, ids[file.path]) for file in files),
        clips=tuple(_clip(file.path, ids[file.path], mirrors) for file in files),
        classes=tuple(sorted(classes_of(file.path for file in files) | set(mirrors))),
    )


def is_video(path: PurePosixPath) -> bool:
    """Whether a name is a video's, and nothing above it is hidden."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not any(
        part.startswith(".") for part in path.parts
    )


def video_ids(paths: list[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Paths without suffix; with it, for all of those that would share an id."""
    ids = {path: str(path.with_suffix("")) for path in paths}
    while shared := {id_ for id_, count in Counter(ids.values()).items() if count > 1}:
        ids |= {path: str(path) for path, id_ in ids.items() if id_ in shared}
    return ids


def classes_of(paths: Iterable[PurePosixPath]) -> set[str]:
    return {label for path in paths if (label := _class_of(path)) is not None}


def read_mirrors(place: str, text: bytes, seen: Set[str]) -> dict[str, str]:
    """Which class each class becomes when flipped, both ways, from a JSON object.

    Raises:
        InputError: it is none, is of other classes, or gives a class two mirrors.
    """
    try:
        pairs = json.loads(text)
    except ValueError as error:
        raise InputError(f"{place}: not readable as JSON: {error}") from error
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise InputError(f'{place}: expected an object such as {{"wave_left": "wave_right"}}')
    mirrors = _both_ways(place, pairs)
    if not seen & set(mirrors):
        raise InputError(
            f"{place}: names the classes {', '.join(mirrors) or '(none)'}, and no video here is of "
            f"them; there are videos of: {', '.join(sorted(seen)) or '(no class)'}. "
            "Correct or remove the file."
        )
    return mirrors


def _class_of(path: PurePosixPath) -> str | None:
    folders = path.parts[:-1]
    if folders and folders[0] in SUBSETS:
        folders = folders[1:]
    return folders[-1] if folders else None


def file_uri(root: str, path: PurePosixPath) -> str:
    """A file below the root as `Video.uri`.

    Raises:
        InputError: it would be taken for something else, or its path cannot be an id.
    """
    uri = relative_uri(str(path))
    place = join(root, uri)
    try:
        require_id("video", str(path.with_suffix("")))
        if Location.parse(place).member:
            raise ValueError("a name with `.tar#` in it is a place in a tar file")
    except (ValueError, InputError) as error:
        raise InputError(
            f"{place!r}: {error}. Rename the file or the folder, then index again."
        ) from error
    return uri


def _video(root: str, file: FoundVideo, video_id: str) -> Video:
    return Video(video_id, file_uri(root, file.path), file.num_bytes, file.identity)


def _clip(path: PurePosixPath, video_id: str, mirrors: Mapping[str, str]) -> Clip:
    label = _class_of(path)
    subset = path.parts[0] if len(path.parts) > 1 and path.parts[0] in SUBSETS else None
    return Clip(
        id=video_id,
        video_id=video_id,
        labels=(TimedLabel(label),) if label is not None else (),
        mirror_label=mirrors.get(label) if label is not None else None,
        splits={SPLIT: subset} if subset is not None else {},
    )


def _both_ways(place: str, pairs: Mapping[str, str]) -> dict[str, str]:
    mirrors: dict[str, str] = {}
    for one, other in [*pairs.items(), *((other, one) for one, other in pairs.items())]:
        if mirrors.setdefault(one, other) != other:
            raise InputError(
                f"{place}: gives {one!r} two mirrors, {mirrors[one]!r} and {other!r}. Keep one."
            )
    return mirrors
