"""The commit protocol: one primitive, sealed records, generations.

A shard's data is written under a name of its own, then made visible by one
small file, `commits/s000123.g000.json`, that exactly one writer can create.
The record lists every file of the data with its size and CRC-32C and ends with
its own sha256. A change is a record of the next generation; the highest one
counts, and records are never altered or removed.

`Objects.create_if_absent` is the only step that needs more of a place than
reading and writing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import google_crc32c

from posemill.errors import StoreCorrupted
from posemill.provenance import canonical_json
from posemill.storage.durable import disk_faults
from posemill.storage.objects import Objects
from posemill.storage.store_parts import names_in

_NAME = re.compile(r"s(\d{6,})\.g(\d{3,})\.json")
_SEAL = ',"sha256":"'
_LOST_BYTES = (errno.EIO, errno.EBADMSG)
"""What a disk says of bytes that it cannot give any more: no permission mends that."""


@dataclass(frozen=True, slots=True, order=True)
class RecordName:
    """Which shard and which generation of it a commit record is of."""

    shard_id: int
    generation: int

    def __str__(self) -> str:
        return f"s{self.shard_id:06d}.g{self.generation:03d}.json"


def list_records(commits: Objects) -> list[RecordName]:
    """All records, in the order of shards and generations; one listing.

    Raises:
        StoreCorrupted: the part of the store that holds them is not there.
        EnvironmentFault: it cannot be read.
    """
    found = (_NAME.fullmatch(name) for name in names_in(commits))
    return sorted(RecordName(int(match[1]), int(match[2])) for match in found if match)


def latest_of(records: Iterable[RecordName]) -> dict[int, RecordName]:
    """Per shard the record of the highest generation, in the order of shards."""
    return {name.shard_id: name for name in sorted(records)}


def seal(body: Mapping[str, Any]) -> bytes:
    """A record as JSON, with the sha256 of what stands before it as its last member."""
    text = canonical_json(body)
    return f'{text[:-1]}{_SEAL}{hashlib.sha256(text.encode()).hexdigest()}"}}\n'.encode()


def unseal(data: bytes, place: str) -> tuple[dict[str, Any], str]:
    """A record's content and its sha256.

    Raises:
        StoreCorrupted: a byte of it is not what was written.
    """
    content, _, rest = data.rpartition(_SEAL.encode())
    expected = hashlib.sha256(content + b"}").hexdigest()
    if not content or rest != f'{expected}"}}\n'.encode():
        raise StoreCorrupted(
            f"{place}: the commit record was altered or cut short ({len(data)} bytes that do not "
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


def record_bytes(data: bytes) -> FileRecord:
    """Size and CRC-32C of an object's bytes."""
    return FileRecord(len(data), f"{google_crc32c.value(data):08x}")


def record_files(files: Mapping[str, bytes]) -> dict[str, FileRecord]:
    """A record of every object, by its name."""
    return {name: record_bytes(data) for name, data in files.items()}


def files_to_json(files: Mapping[str, FileRecord]) -> dict[str, list[Any]]:
    """File records as they stand in a commit record."""
    return {name: [file.num_bytes, file.crc32c] for name, file in files.items()}


def files_from_json(stored: Mapping[str, Any]) -> dict[str, FileRecord]:
    """The inverse of `files_to_json`."""
    return {name: FileRecord(int(size), str(crc)) for name, (size, crc) in stored.items()}


def check_files(objects: Objects, files: Mapping[str, FileRecord], *, content: bool) -> None:
    """Compare objects with their records: presence and size, and with `content` every byte.

    Raises:
        StoreCorrupted: naming the objects that differ.
        EnvironmentFault: one cannot be read.
    """
    found = file_problems(objects, files, content=content)
    if found:
        problems = [f"{name}: {problem}" for name, problem in found.items()]
        raise StoreCorrupted(
            f"{objects.url}: {len(problems)} of {len(files)} committed files are not as they were "
            f"committed: {'; '.join(problems[:5])}. Run `posemill verify --repair` on the store, "
            "then the command that made it: it makes again what is damaged."
        )


def file_problems(
    objects: Objects, files: Mapping[str, FileRecord], *, content: bool
) -> dict[str, str]:
    """What `check_files` finds, by the object's name; empty where all is as committed.

    Raises:
        EnvironmentFault: one cannot be read.
    """
    with disk_faults(objects.url):
        if content:
            found = {name: _content_problem(objects, name, files[name]) for name in files}
        else:
            return size_problems(objects.sizes(files), files)
    return {name: problem for name, problem in found.items() if problem}


def size_problems(
    sizes: Mapping[str, int | None] | Mapping[str, int], files: Mapping[str, FileRecord]
) -> dict[str, str]:
    """What is absent or has another size than its record, by the object's name."""
    found = {name: _size_problem(sizes.get(name), file) for name, file in files.items()}
    return {name: problem for name, problem in found.items() if problem}


def _size_problem(num_bytes: int | None, expected: FileRecord) -> str | None:
    if num_bytes is None:
        return "is missing"
    if num_bytes != expected.num_bytes:
        return f"has {num_bytes} bytes, expected {expected.num_bytes}"
    return None


def _content_problem(objects: Objects, name: str, expected: FileRecord) -> str | None:
    try:
        data = objects.read(name)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        if error.errno in _LOST_BYTES:
            return f"cannot be read ({error.strerror})"
        with disk_faults(f"{objects.url}/{name}"):
            raise
    if record_bytes(data) == expected:
        return None
    return _size_problem(len(data), expected) or f"has another CRC-32C than {expected.crc32c}"
