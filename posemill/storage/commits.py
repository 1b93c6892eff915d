"""The commit protocol: one primitive, sealed records, generations.

A shard's data is written under a name of its own, then made visible by one
small file, `commits/s000123.g000.json`, that exactly one writer can create.
The record lists every file of the data with its size and CRC-32C and ends with
its own sha256. A change is a record of the next generation; the highest one
counts, and records are never altered or removed.

`create_if_absent` is the only step that needs something of the file system,
so that a store elsewhere needs only another one of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c

from posemill.errors import InputError, StoreCorrupted
from posemill.provenance import canonical_json
from posemill.storage.durable import (
    disk_faults,
    names_in,
    sync_folder,
    temporary_name,
    write_file,
)

_NAME = re.compile(r"s(\d{6,})\.g(\d{3,})\.json")
_SEAL = ',"sha256":"'


def create_if_absent(path: Path, data: bytes) -> bool:
    """Create a file with this content unless there is one: True for exactly one caller.

    The file appears whole and is on the disk on return.

    Raises:
        OSError: the file system refuses, e.g. hard links.
    """
    draft = temporary_name(path)
    try:
        write_file(draft, data)
        try:
            os.link(draft, path)
        except FileExistsError:
            # A network file system may report its own link's retry as a loss.
            return draft.stat().st_nlink == 2
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def require_create_if_absent(folder: Path) -> None:
    """Try the primitive in an own folder, before anything relies on it.

    Raises:
        InputError: it does not hold there.
    """
    path = folder / ".probe"
    try:
        held = create_if_absent(path, b"first") and not create_if_absent(path, b"second")
        held = held and path.read_bytes() == b"first"
        path.unlink()
    except OSError as error:
        raise InputError(
            f"{folder.parent}: no store can be made there: its file system refuses to link a file "
            f"({error.strerror or error}). Choose an output path on another file system."
        ) from error
    if not held:
        raise InputError(
            f"{folder.parent}: no store can be made there: its file system lets two writers "
            "create the same file. Choose an output path on another file system."
        )


@dataclass(frozen=True, slots=True, order=True)
class RecordName:
    """Which shard and which generation of it a commit record is of."""

    shard_id: int
    generation: int

    def __str__(self) -> str:
        return f"s{self.shard_id:06d}.g{self.generation:03d}.json"


def list_latest(folder: Path) -> dict[int, RecordName]:
    """Per shard the record of the highest generation, in the order of shards; one listing.

    Raises:
        StoreCorrupted: the folder is not there.
        EnvironmentFault: it cannot be read.
    """
    return {name.shard_id: name for name in list_records(folder)}


def list_records(folder: Path) -> list[RecordName]:
    """All records, in the order of shards and generations; one listing.

    Raises:
        StoreCorrupted: the folder is not there.
        EnvironmentFault: it cannot be read.
    """
    found = [match for name in names_in(folder) if (match := _NAME.fullmatch(name))]
    return sorted(RecordName(int(match[1]), int(match[2])) for match in found)


def seal(body: Mapping[str, Any]) -> bytes:
    """A record as JSON, with the sha256 of what stands before it as its last member."""
    text = canonical_json(body)
    return f'{text[:-1]}{_SEAL}{hashlib.sha256(text.encode()).hexdigest()}"}}\n'.encode()


def read_record(path: Path) -> tuple[dict[str, Any], str]:
    """The content and the sha256 of the record at `path`.

    Raises:
        StoreCorrupted: a byte of it is not what was written.
        EnvironmentFault: it cannot be read.
    """
    with disk_faults(path):
        return unseal(path.read_bytes(), path)


def unseal(data: bytes, path: Path) -> tuple[dict[str, Any], str]:
    """A record's content and its sha256.

    Raises:
        StoreCorrupted: a byte of it is not what was written.
    """
    content, _, rest = data.rpartition(_SEAL.encode())
    expected = hashlib.sha256(content + b"}").hexdigest()
    if not content or rest != f'{expected}"}}\n'.encode():
        raise StoreCorrupted(
            f"{path}: the commit record was altered or cut short ({len(data)} bytes that do not "
            "match their own sha256). Run `posemill verify --repair` on the store, then the "
            "command that made it."
        )
    body: dict[str, Any] = json.loads(content + b"}")
    return body, expected


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What a commit knows of one file."""

    num_bytes: int
    crc32c: str


def record_file(path: Path) -> FileRecord:
    """Size and CRC-32C of a file."""
    data = path.read_bytes()
    return FileRecord(len(data), f"{google_crc32c.value(data):08x}")


def record_tree(folder: Path) -> dict[str, FileRecord]:
    """A record of every file below `folder`, by its path relative to it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): record_file(path) for path in paths}


def files_to_json(files: Mapping[str, FileRecord]) -> dict[str, list[Any]]:
    """File records as they stand in a commit record."""
    return {name: [file.num_bytes, file.crc32c] for name, file in files.items()}


def files_from_json(stored: Mapping[str, Any]) -> dict[str, FileRecord]:
    """The inverse of `files_to_json`."""
    return {name: FileRecord(int(size), str(crc)) for name, (size, crc) in stored.items()}


def check_files(folder: Path, files: Mapping[str, FileRecord], *, content: bool) -> None:
    """Compare files with their records: presence and size, and with `content` every byte.

    Raises:
        StoreCorrupted: naming the files that differ.
    """
    if problems := file_problems(folder, files, content=content):
        shown = [f"{name}: {problem}" for name, problem in problems.items()]
        raise StoreCorrupted(
            f"{folder}: {len(problems)} of {len(files)} committed files are not as they were "
            f"committed: {'; '.join(shown[:5])}. Run `posemill verify --repair` on the store, then "
            "the command that made it: it makes again what is damaged."
        )


def file_problems(
    folder: Path, files: Mapping[str, FileRecord], *, content: bool
) -> dict[str, str]:
    """What is wrong with which of the files: presence and size, and with `content` every byte."""
    found = {name: _problem(folder / name, expected, content) for name, expected in files.items()}
    return {name: problem for name, problem in found.items() if problem}


def _problem(path: Path, expected: FileRecord, content: bool) -> str | None:
    try:
        num_bytes = path.stat().st_size
    except OSError:
        return "is missing"
    if num_bytes != expected.num_bytes:
        return f"has {num_bytes} bytes, expected {expected.num_bytes}"
    if content and record_file(path) != expected:
        return f"has another CRC-32C than {expected.crc32c}"
    return None
