"""Names of pose files, and the videos that they are of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from posemill.storage.datasets.tree import VIDEO_SUFFIXES, video_ids
from posemill.storage.file_tree import files_below
from posemill.storage.formats.base import Source


def file_sources(root: Path, paths: Iterable[PurePosixPath], ends: Sequence[str]) -> list[Source]:
    """A source for each file below `root`, with the id that its video has in an index.

    A name is that of the video, with or without its suffix, and then one of `ends`, of which the
    first that fits counts: `a/b.mp4.json` and `a/b.json` are of `a/b`.
    """
    named = {path: _video_of(path, ends) for path in sorted(paths)}
    ids = video_ids(list(named.values()))
    return [Source(ids[video], str(root / path)) for path, video in named.items()]


def sources_ending(root: Path, ends: Sequence[str]) -> list[Source]:
    """The same of all files whose names end so, at or below `root`.

    Raises:
        OSError: a folder cannot be looked into.
    """
    if not root.is_dir():
        return [file_source(root, ends)]
    paths = (path for path in files_below(root) if path.name.endswith(tuple(ends)))
    return file_sources(root, paths, ends)


def file_source(path: Path, ends: Sequence[str]) -> Source:
    """The same of one file that is given by its name."""
    (source,) = file_sources(path.parent, [PurePosixPath(path.name)], ends)
    return source


def folder_source(root: Path, folder: PurePosixPath, uri: str) -> Source:
    """A source for a folder below `root`, or `root` itself, that is a video."""
    return Source(str(folder) if folder.name else root.name, uri)


def part_uri(path: Path, name: str) -> str:
    """The `uri` of one of several videos in a file or a folder. Written anew that keeps it."""
    # Without slashes in the name, so that its folder is the file's.
    return f"{path}#{quote(name, safe='')}"


def part_of(uri: str) -> tuple[Path, str]:
    """The file or folder, and the name of the video, of what `part_uri` made."""
    path, _, name = uri.rpartition("#")
    return Path(path), unquote(name)


def _video_of(path: PurePosixPath, ends: Sequence[str]) -> PurePosixPath:
    """The video's name, or some name with the same stem."""
    end = next((end for end in ends if path.name.endswith(end)), "")
    stem = path.name.removesuffix(end)
    known = PurePosixPath(stem).suffix.lower() in VIDEO_SUFFIXES
    return path.with_name(stem if known else f"{stem}.json")
