"""A list of videos as a catalog: paths and addresses, one a line, or a table with labels.

A text file has a place a line; empty lines and those that begin with `#` count
for nothing. A file named `.csv` or `.tsv` is a table with a header of these
columns, of which `path` alone is needed::

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

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel, Video, require_id
from posemill.storage.catalog import Catalog
from posemill.storage.datasets.places import common_folder, uri_below
from posemill.storage.datasets.tree import SPLIT, VIDEO_SUFFIXES
from posemill.storage.durable import input_faults
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import Look, look_at_all, require_supported
from posemill.storage.files.location import WEB, Location, is_address
from posemill.storage.identity import ABSENT

_TABLES = {".csv": ",", ".tsv": "\t"}
_COLUMNS = ("path", "id", "label", "subset", "start", "end")


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    location: Location
    video_id: str
    label: str
    subset: str
    start_seconds: float
    end_seconds: float | None


def index_list(
    path: str | os.PathLike[str], *, name: str | None = None, cache: FileCache | None = None
) -> Catalog:
    """The videos of a list file, each looked at where it is; one that is not there is kept.

    Raises:
        InputError: a line that cannot be used, named; or a video that may not be read.
        EnvironmentFault: an address gives no answer.
    """
    file = Path(path)
    with input_faults(file):
        rows = _rows(file)
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
        classes=tuple(sorted({row.label for row in rows if row.label})),
    )


def _rows(file: Path) -> list[_Row]:
    folder = _Folder(file)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: is not UTF-8 text: {error}. Save it as UTF-8.") from error
    rows = []
    for line, values in _table(file, text):
        try:
            rows.append(_row(line, values, folder))
        except (ValueError, InputError) as error:
            raise InputError(f"{file}, line {line}: {error}. Correct the line.") from error
    return rows


def _table(file: Path, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and values of each row."""
    delimiter = _TABLES.get(file.suffix.lower())
    if delimiter is None:
        for line, content in enumerate(text.split("\n"), 1):
            if (stripped := content.strip()) and not stripped.startswith("#"):
                yield line, {"path": stripped}
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    _require_columns(file, reader.fieldnames or ())
    try:
        for values in reader:
            if None in values or None in values.values():
                raise InputError(
                    f"{file}, line {reader.line_num}: has another number of values than the "
                    f"header, which has {len(reader.fieldnames or ())}. Correct the line."
                )
            yield reader.line_num, values
    except csv.Error as error:
        raise InputError(
            f"{file}, line {reader.reader.line_num}: {error}. Correct the line."
        ) from error


def _require_columns(file: Path, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in _COLUMNS]
    if "path" not in names or unknown or len(set(names)) < len(names):
        raise InputError(
            f"{file}, line 1: the columns are {', '.join(map(repr, names)) or '(none)'}; expected "
            f"'path' and any of {', '.join(_COLUMNS[1:])}, each once. Correct the header."
        )


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


def _row(line: int, values: Mapping[str, str], folder: _Folder) -> _Row:
    """Raises:
    ValueError, InputError: without the file's name and the line.
    """
    text = {name: values.get(name, "").strip() for name in _COLUMNS}
    if not text["path"]:
        raise ValueError("has no path")
    location = folder.location(text["path"])
    video_id = text["id"] or _id_of(text["path"], location)
    try:
        require_id("video", video_id)
    except ValueError as error:
        raise ValueError(f"{error}; give one in the column `id` of a .csv file") from error
    start, end = _seconds(text["start"]), _seconds(text["end"])
    if end is not None and end <= (start or 0.0):
        raise ValueError(f"the span [{text['start'] or 0}, {text['end']}) s is empty")
    return _Row(line, location, video_id, text["label"], text["subset"], start or 0.0, end)


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


def _grouped(file: Path, rows: Sequence[_Row]) -> dict[str, list[_Row]]:
    """Rows by video id, in order.

    Raises:
        InputError: one id is of two files.
    """
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        group = groups.setdefault(row.video_id, [])
        group.append(row)
        if (first := group[0]).location != row.location:
            raise InputError(
                f"{file}, lines {first.line} and {row.line}: {str(first.location)!r} and "
                f"{str(row.location)!r} have the same id, {row.video_id!r}. Give each an id of its "
                "own in the column `id` of a .csv file."
            )
    return groups


def _video(root: str, rows: Sequence[_Row], seen: Look | None) -> Video:
    ends = [row.end_seconds for row in rows]
    return Video(
        id=rows[0].video_id,
        uri=uri_below(root, rows[0].location),
        num_bytes=seen.num_bytes if seen else 0,
        identity=seen.identity if seen else ABSENT,
        start_seconds=min(row.start_seconds for row in rows),
        end_seconds=None if None in ends else max(end for end in ends if end is not None),
    )


def _clips(file: Path, rows: Sequence[_Row]) -> Iterator[Clip]:
    lines: dict[str, int] = {}
    for row in rows:
        end = "end" if row.end_seconds is None else _plain(row.end_seconds)
        span = f"@{_plain(row.start_seconds)}-{end}" if len(rows) > 1 else ""
        clip_id = f"{row.video_id}{span}"
        if (line := lines.setdefault(clip_id, row.line)) != row.line:
            raise InputError(
                f"{file}, lines {line} and {row.line}: the same span of {str(row.location)!r} "
                "twice. Remove one of them, or give another id in the column `id` of a .csv file."
            )
        yield Clip(
            id=clip_id,
            video_id=row.video_id,
            start_seconds=row.start_seconds,
            end_seconds=row.end_seconds,
            labels=(TimedLabel(row.label),) if row.label else (),
            splits={SPLIT: row.subset} if row.subset else {},
        )


def _plain(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
