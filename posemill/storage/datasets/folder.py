"""A folder of videos as a catalog: sub-folders are subsets and classes.

::

    root/train/wave_left/0001.mp4    subset "train" of split "default", class "wave_left"
    root/wave_left/0001.mp4          no subset, class "wave_left"
    root/0001.mp4                    neither
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from pathlib import Path, PurePosixPath

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel, Video
from posemill.storage.catalog import Catalog
from posemill.storage.durable import input_faults
from posemill.storage.identity import file_identity

VIDEO_SUFFIXES = frozenset(
    {
        *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov"),
        *(".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"),
    }
)
SUBSETS = ("train", "val", "test")
SPLIT = "default"
MIRROR_FILE = "mirror_labels.json"


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
    if not paths:
        raise InputError(
            f"{folder}: no video in it. Expected files with one of the suffixes "
            f"{' '.join(sorted(VIDEO_SUFFIXES))}, at any depth. Give the folder that holds them."
        )
    ids = _video_ids(paths)
    seen = {label for path in paths if (label := _class_of(path)) is not None}
    mirrors = _read_mirrors(folder, mirror_labels, seen)
    return Catalog(
        name=name or folder.resolve().name,
        root=str(folder.resolve()),
        videos=tuple(_video(folder, path, ids[path]) for path in paths),
        clips=tuple(_clip(path, ids[path], mirrors) for path in paths),
        classes=tuple(sorted(seen | set(mirrors))),
    )


def _find_videos(folder: Path) -> Iterator[PurePosixPath]:
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder. Give the folder of the videos.")
    pending, seen = [folder], set[str]()
    while pending:
        current = pending.pop()
        if (real := os.path.realpath(current)) in seen:
            continue
        seen.add(real)
        for entry in current.iterdir():
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                pending.append(entry)
            elif entry.suffix.lower() in VIDEO_SUFFIXES and entry.is_file():
                yield PurePosixPath(entry.relative_to(folder).as_posix())


def _video_ids(paths: list[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Paths without suffix; with it, for all of those that would share an id."""
    ids = {path: str(path.with_suffix("")) for path in paths}
    while shared := {id_ for id_, count in Counter(ids.values()).items() if count > 1}:
        ids |= {path: str(path) for path, id_ in ids.items() if id_ in shared}
    return ids


def _class_of(path: PurePosixPath) -> str | None:
    folders = path.parts[:-1]
    if folders and folders[0] in SUBSETS:
        folders = folders[1:]
    return folders[-1] if folders else None


def _video(folder: Path, path: PurePosixPath, video_id: str) -> Video:
    file = folder / path
    try:
        return Video(
            id=video_id,
            uri=str(path),
            num_bytes=file.stat().st_size,
            identity=file_identity(file),
        )
    except ValueError as error:
        raise InputError(
            f"{str(file)!r}: {error}. Rename the file or the folder, then index again."
        ) from error


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


def _read_mirrors(
    folder: Path, given: str | os.PathLike[str] | None, seen: Set[str]
) -> dict[str, str]:
    path = folder / MIRROR_FILE if given is None else Path(given)
    if given is None and not path.is_file():
        return {}
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise InputError(f'{path}: expected an object such as {{"wave_left": "wave_right"}}')
    mirrors = _both_ways(path, pairs)
    if not seen & set(mirrors):
        raise InputError(
            f"{path}: names the classes {', '.join(mirrors) or '(none)'}, and no video here is of "
            f"them; there are videos of: {', '.join(sorted(seen)) or '(no class)'}. "
            "Correct or remove the file."
        )
    return mirrors


def _both_ways(path: Path, pairs: Mapping[str, str]) -> dict[str, str]:
    mirrors: dict[str, str] = {}
    for one, other in [*pairs.items(), *((other, one) for one, other in pairs.items())]:
        if mirrors.setdefault(one, other) != other:
            raise InputError(
                f"{path}: gives {one!r} two mirrors, {mirrors[one]!r} and {other!r}. Keep one."
            )
    return mirrors
