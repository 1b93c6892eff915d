"""A list of videos as a catalog: paths and addresses, one a line, or a table with labels.

A text file has a place a line; empty lines and those that begin with `#` count
for nothing. A table (CSV, JSON lines, Parquet, see `list_rows`) has these columns,
of which `path` alone is needed, or says with `ListColumns` which of its own are meant::

    path,id,label,subset,start,end
    clips/0001.mp4,,wave_left,train,,
    https://host/v/abc.mp4,,juggling,test,12.5,22.5
    s3://bucket/shard-0001.tar#a/b.mp4,,,,,

Relative paths are below the list's own folder. An id that is not given is the
path without its suffix: of an address what follows the bucket or the host.
Rows of one path and one id are clips of one video, which is decoded from the
first start to the last end.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel, Video, require_id
from posemill.storage.catalog import Catalog
from posemill.storage.datasets.list_columns import ListColumns
from posemill.storage.datasets.list_rows import ListRow, read_rows, row_noun
from posemill.storage.datasets.places import common_folder, uri_below
from posemill.storage.datasets.tree import VIDEO_SUFFIXES
from posemill.storage.durable import input_faults
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import Look, look_at_all, require_supported
from posemill.storage.files.location import WEB, Location, is_address
from posemill.storage.identity import ABSENT

_OWN_NAMES = ListColumns()


@dataclass(frozen=True, slots=True)
class _Listed:
    """A row that was understood, of which there may be millions."""

    number: int
    location: Location
    video_id: str
    labels: tuple[str, ...]
    splits: Mapping[str, str]
    start_seconds: float
    end_seconds: float | None


def index_list(
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    columns: ListColumns = _OWN_NAMES,
    cache: FileCache | None = None,
) -> Catalog:
    """The videos of a list file, each looked at where it is; one that is not there is kept.

    Raises:
        InputError: a line that cannot be used, named; or a video that may not be read.
        EnvironmentFault: an address gives no answer.
    """
    file = Path(path)
    with input_faults(file):
        rows = _rows(file, columns)
    if not rows:
        raise InputError(f"{file}: no video in it. Expected a path or an address in each line.")
    videos = _grouped(file, rows)
    firsts = [group[0].location for group in videos.values()]
    require_supported(map(str, firsts))
    with input_faults(file):
        looks = look_at_all(firsts, cache or FileCache.of_environment())
    root = common_folder(firsts)
    return Catalog(
        name=name or file.stem,
        root=root,
        videos=tuple(
            _video(root, group, seen) for group, seen in zip(videos.values(), looks, strict=True)
        ),
        clips=tuple(clip for group in videos.values() for clip in _clips(file, group)),
        classes=tuple(sorted({label for each in rows for label in each.labels})),
    )


def _rows(file: Path, columns: ListColumns) -> list[_Listed]:
    folder, equals, rows = _Folder(file), dict[Hashable, Any](), list[_Listed]()
    for row in read_rows(file, columns):
        # Few differ; one object for all that are equal takes a third less memory.
        labels = equals.setdefault(row.labels, row.labels)
        splits = equals.setdefault(frozenset(row.splits.items()), row.splits)
        try:
            rows.append(_listed(row, folder, labels, splits))
        except (ValueError, InputError) as error:
            row.refuse(error)
    return rows


class _Folder:
    """Makes absolute what a list says, with links in the folders' names resolved."""

    def __init__(self, file: Path) -> None:
        self._base = file.resolve().parent
        self._real: dict[Path, Path] = {}

    def location(self, text: str) -> Location:
        if is_address(text):
            return Location.parse(text)
        name, mark, member = text.partition(".tar#")
        path = self._base / f"{name}{'.tar' if mark else ''}"
        if path.parent not in self._real:
            self._real[path.parent] = path.parent.resolve()
        return Location.parse(f"{self._real[path.parent] / path.name}{'#' if mark else ''}{member}")


def _listed(
    row: ListRow, folder: _Folder, labels: tuple[str, ...], splits: Mapping[str, str]
) -> _Listed:
    """Raises:
    ValueError, InputError: without the file's name and the line.
    """
    text = row.texts
    if not text["path"]:
        raise ValueError("has no path")
    location = folder.location(text["path"])
    video_id = text.get("id") or _id_of(text["path"], location)
    try:
        require_id("video", video_id)
    except ValueError as error:
        raise ValueError(f"{error}; give one in the column `id` of a .csv file") from error
    start, end = (_seconds(text.get(name, "")) for name in ("start", "end"))
    if end is not None and end <= (start or 0.0):
        raise ValueError(f"the span [{text.get('start') or 0}, {text['end']}) s is empty")
    return _Listed(row.number, location, video_id, labels, splits, start or 0.0, end)


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not (isfinite(seconds) and seconds >= 0):
        raise ValueError(f"expected seconds from 0 on, or nothing, got {text!r}")
    return seconds


def _id_of(written: str, location: Location) -> str:
    if location.scheme in WEB:
        path = unquote(urlsplit(location.place).path)
    elif location.scheme:
        path = location.place.partition("://")[2].partition("/")[2]
    else:
        path = written.partition(".tar#")[0] + ".tar" if location.member else written
    path = path.removeprefix("./").removeprefix("/")
    if location.member:
        path = f"{path.removesuffix('.tar')}/{location.member}"
    suffix = PurePosixPath(path).suffix
    return path.removesuffix(suffix) if suffix.lower() in VIDEO_SUFFIXES else path


def _grouped(file: Path, rows: Sequence[_Listed]) -> dict[str, list[_Listed]]:
    """Rows by video id, in order.

    Raises:
        InputError: one id is of two files.
    """
    groups: dict[str, list[_Listed]] = {}
    for each in rows:
        group = groups.setdefault(each.video_id, [])
        group.append(each)
        if (first := group[0]).location != each.location:
            raise InputError(
                f"{_both(file, first, each)}: {str(first.location)!r} and {str(each.location)!r} "
                f"have the same id, {each.video_id!r}. Give each an id of its own in the column "
                "`id` of a .csv file."
            )
    return groups


def _both(file: Path, one: _Listed, other: _Listed) -> str:
    """The place of two rows."""
    return f"{file}, {row_noun(file)}s {one.number} and {other.number}"


def _video(root: str, rows: Sequence[_Listed], seen: Look | None) -> Video:
    ends = [row.end_seconds for row in rows]
    return Video(
        id=rows[0].video_id,
        uri=uri_below(root, rows[0].location),
        num_bytes=seen.num_bytes if seen else 0,
        identity=seen.identity if seen else ABSENT,
        start_seconds=min(row.start_seconds for row in rows),
        end_seconds=None if None in ends else max(end for end in ends if end is not None),
    )


def _clips(file: Path, rows: Sequence[_Listed]) -> Iterator[Clip]:
    firsts: dict[str, _Listed] = {}
    for each in rows:
        end = "end" if each.end_seconds is None else _plain(each.end_seconds)
        span = f"@{_plain(each.start_seconds)}-{end}" if len(rows) > 1 else ""
        clip_id = f"{each.video_id}{span}"
        if (first := firsts.setdefault(clip_id, each)) is not each:
            raise InputError(
                f"{_both(file, first, each)}: the same span of {str(each.location)!r} twice. "
                "Remove one of them, or give another id in the column `id` of a .csv file."
            )
        yield Clip(
            id=clip_id,
            video_id=each.video_id,
            start_seconds=each.start_seconds,
            end_seconds=each.end_seconds,
            labels=tuple(map(TimedLabel, each.labels)),
            splits=each.splits,
        )


def _plain(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
