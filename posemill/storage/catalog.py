"""The catalog: which videos there are and which clips, labels and splits lie in them.

On disk it is a folder of two Parquet files, `videos.parquet` and
`clips.parquet`; name, root and classes are in the schema metadata of both,
and a hash of all the content, by which the two are known to belong together.
Beside them, for people, `missing.txt` lists the videos that were not there: an
id and a place in each line, with a tab between.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from posemill.errors import InputError
from posemill.provenance import canonical_json
from posemill.schema import Clip, Video
from posemill.storage.durable import (
    input_faults,
    publish_folder,
    remove_tree,
    replace_files,
    temporary_name,
    write_file,
)
from posemill.storage.files.location import join
from posemill.storage.identity import ABSENT
from posemill.storage.tables import clips_from_table, clips_to_table
from posemill.storage.videos import VideoTable, require_unique

KIND = "posemill-catalog"
SCHEMA_VERSION = 2  # 2 added boxes, which a reader of 1 must not leave out; 1 is read as well
_VIDEOS = "videos.parquet"
_CLIPS = "clips.parquet"
MISSING_LIST = "missing.txt"
_METADATA_KEY = b"posemill"


@dataclass(frozen=True, slots=True)
class Catalog:
    """A dataset's videos and clips.

    Raises:
        ValueError: an id given twice, a clip of an unknown video, or a label
            or mirror label that is not a class.
    """

    name: str
    root: str
    """The folder, or the address of one, that relative uris start from."""
    videos: Sequence[Video]
    """Kept as a `VideoTable`."""
    clips: tuple[Clip, ...]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        videos = VideoTable.of(self.videos)
        object.__setattr__(self, "videos", videos)
        video_ids = videos.ids()
        require_unique("video id", video_ids)
        require_unique("clip id", [clip.id for clip in self.clips])
        require_unique("class", self.classes)
        _require_known(self.clips, set(video_ids), set(self.classes))

    def video_path(self, video: Video) -> str:
        """Where the bytes of `video` are: its uri, below the root where it is relative.

        The text of a `Location`.

        Raises:
            InputError: the uri is an address that is not taken.
        """
        return join(self.root, video.uri)


@dataclass(frozen=True, slots=True)
class CatalogVideos:
    """A catalog without its clips, which are most of it: what extraction needs."""

    path: Path
    """The catalog's own folder."""
    root: str
    videos: VideoTable

    def paths(self) -> list[str]:
        """Where each video is, as `Catalog.video_path` tells it.

        Raises:
            InputError: as there.
        """
        return [join(self.root, uri) for uri in self.videos.uris()]


def write_catalog(
    path: str | os.PathLike[str], catalog: Catalog, *, overwrite: bool = False
) -> None:
    """Write a catalog as a folder; an equal one that is there already is left alone.

    A new one appears whole or not at all. Of one that is overwritten the two
    files are replaced one after the other; a process killed just between the
    two leaves a catalog that `read_catalog` refuses, to be overwritten again.

    Raises:
        InputError: something else is there already (and `overwrite` is off, or
            it is not a catalog), or the place cannot be written to.
    """
    if not needs_writing(path, catalog, overwrite=overwrite):
        return
    target = Path(os.path.abspath(path))  # noqa: PTH100  `.` and `..` have no name of their own
    files = _to_files(catalog)
    try:
        if target.exists():
            replace_files(target, files)
        else:
            _write_new(target, files)
    except OSError as error:
        raise InputError(
            f"{target}: a catalog cannot be written there ({error.strerror or error}); "
            "expected a writable folder's path. Choose another output path."
        ) from error


def needs_writing(
    path: str | os.PathLike[str], catalog: Catalog, *, overwrite: bool = False
) -> bool:
    """Whether `write_catalog` would write; False where an equal catalog is there.

    Raises:
        InputError: as `write_catalog` would, for what is there.
    """
    target = Path(path)
    with input_faults(target):
        if not target.exists() or (target.is_dir() and not any(target.iterdir())):
            return True
        if not (target / _VIDEOS).is_file():
            raise InputError(f"{target}: is there and is not a catalog. Choose another path.")
        if overwrite:
            return True
        if read_catalog(target) == catalog:
            return False
    raise InputError(
        f"{target}: is there already and differs from what would be written (the videos, their "
        "labels or splits changed since). Choose another path, or replace it with --overwrite."
    )


def is_catalog(path: Path) -> bool:
    """Whether a folder looks like a catalog; `read_catalog` tells for sure.

    Raises:
        InputError: that cannot be seen.
    """
    with input_faults(path):
        return (path / _VIDEOS).is_file() and (path / _CLIPS).is_file()


def read_catalog(path: str | os.PathLike[str]) -> Catalog:
    """The catalog at `path`.

    Raises:
        InputError: there is none, it was written by a newer posemill, or its
            two files are of two catalogs.
    """
    folder = Path(path)
    tables = {name: _read_table(folder / name) for name in (_VIDEOS, _CLIPS)}
    metadata = _metadata(folder, {name: table.schema for name, table in tables.items()})
    with _invalid(folder):
        videos = VideoTable(tables[_VIDEOS])
        videos.require_valid()
        return Catalog(
            name=metadata["name"],
            root=metadata["root"],
            videos=videos,
            clips=clips_from_table(tables[_CLIPS]),
            classes=tuple(metadata["classes"]),
        )


def read_catalog_videos(path: str | os.PathLike[str]) -> CatalogVideos:
    """The videos of the catalog at `path`; of 650,000 within a second or two.

    Raises:
        InputError: as `read_catalog`, but for what is wrong with a clip.
    """
    folder = Path(path)
    table = _read_table(folder / _VIDEOS)
    schemas = {_VIDEOS: table.schema, _CLIPS: _read_schema(folder / _CLIPS)}
    metadata = _metadata(folder, schemas)
    with _invalid(folder):
        videos = VideoTable(table)
        videos.require_valid()
        return CatalogVideos(folder.resolve(), metadata["root"], videos)


def _require_known(clips: Sequence[Clip], video_ids: Set[str], classes: Set[str]) -> None:
    for clip in clips:
        if clip.video_id not in video_ids:
            raise ValueError(f"clip {clip.id} is of video {clip.video_id!r}, not in the catalog")
        names = {label.name for label in clip.labels} | {clip.mirror_label} - {None}
        if unknown := names - classes:
            raise ValueError(
                f"clip {clip.id} has labels that are not classes: {sorted(map(str, unknown))}"
            )


def _to_files(catalog: Catalog) -> dict[str, bytes]:
    tables = {_VIDEOS: VideoTable.of(catalog.videos).table, _CLIPS: clips_to_table(catalog.clips)}
    metadata = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "name": catalog.name,
        "root": catalog.root,
        "classes": list(catalog.classes),
    }
    digest = hashlib.sha256(canonical_json(metadata).encode())
    for table in tables.values():
        digest.update(_to_parquet(table))
    stored = {_METADATA_KEY: json.dumps({**metadata, "content": digest.hexdigest()}).encode()}
    return {
        **{
            name: _to_parquet(table.replace_schema_metadata(stored))
            for name, table in tables.items()
        },
        MISSING_LIST: _missing(catalog.videos).encode(),
    }


def _missing(videos: Sequence[Video]) -> str:
    table = VideoTable.of(videos)
    listed = zip(table.ids(), table.uris(), table.identities(), strict=True)
    return "".join(f"{id_}\t{uri}\n" for id_, uri, identity in listed if identity == ABSENT)


def _to_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_page_checksum=True)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _metadata(folder: Path, schemas: Mapping[str, pa.Schema]) -> dict[str, Any]:
    """What both files say of the catalog.

    Raises:
        InputError: they are no catalog's, a newer posemill's, or of two catalogs.
    """
    videos, clips = (_metadata_of(folder, schema) for schema in schemas.values())
    if videos != clips:
        raise InputError(
            f"{folder}: {_VIDEOS} and {_CLIPS} are of two catalogs: writing one over the other was "
            "interrupted. Index the dataset again with --overwrite."
        )
    return videos


def _metadata_of(folder: Path, schema: pa.Schema) -> dict[str, Any]:
    stored = (schema.metadata or {}).get(_METADATA_KEY)
    metadata: dict[str, Any] = json.loads(stored) if stored else {}
    if metadata.get("kind") != KIND:
        raise InputError(
            f"{folder}: its Parquet files are not a posemill catalog's. "
            "Give a folder made by `posemill index`."
        )
    if metadata["schema_version"] > SCHEMA_VERSION:
        raise InputError(
            f"{folder}: catalog of schema version {metadata['schema_version']}; this posemill "
            f"reads up to {SCHEMA_VERSION}. Upgrade posemill, or index the dataset again."
        )
    return metadata


def _read_table(path: Path) -> pa.Table:
    with _unreadable(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read()


def _read_schema(path: Path) -> pa.Schema:
    with _unreadable(path):
        return pq.read_schema(path)


@contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{path.parent}: not a readable catalog ({path.name}: {error}). "
            "Give a folder made by `posemill index`."
        ) from error


@contextmanager
def _invalid(folder: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder}: not a valid catalog: {error}. Index the dataset again."
        ) from error


def _write_new(target: Path, files: Mapping[str, bytes]) -> None:
    draft = temporary_name(target)
    try:
        draft.mkdir(parents=True)
        for name, data in files.items():
            write_file(draft / name, data)
        if not publish_folder(draft, target):
            raise InputError(f"{target}: another process has just written it. Look at it first.")
    finally:
        remove_tree(draft)
