"""Tells whether a file is still the one that was seen, without reading all of it."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

ABSENT = "absent"
"""Identity of a video whose file was not there when it was indexed."""
_WINDOW_BYTES = 1 << 20
_IDENTITY = re.compile(r"(\d+)-(\d+)-([0-9a-f]{64})")


def file_identity(path: str | os.PathLike[str]) -> str:
    """`<bytes>-<mtime in ns>-<sha256 of the first and the last MiB>` of a file.

    Raises:
        OSError: the file is missing or cannot be read.
    """
    with Path(path).open("rb") as file:
        info = os.fstat(file.fileno())
        return bytes_identity(file, 0, info.st_size, info.st_mtime_ns)


def bytes_identity(file: BinaryIO, offset: int, num_bytes: int, mtime_ns: int) -> str:
    """The same of a part of an open file, as if it were a file of its own with this time."""
    file.seek(offset)
    digest = hashlib.sha256(file.read(min(_WINDOW_BYTES, num_bytes)))
    if num_bytes > _WINDOW_BYTES:
        start = max(_WINDOW_BYTES, num_bytes - _WINDOW_BYTES)
        file.seek(offset + start)
        digest.update(file.read(num_bytes - start))
    return f"{num_bytes}-{mtime_ns}-{digest.hexdigest()}"


def without_time(identity: str) -> str:
    """What is left of an identity when a file is copied; another text is its own content."""
    match = _IDENTITY.fullmatch(identity)
    return f"{match[1]}-{match[3]}" if match else identity


def is_same_file(before: str, now: str, *, ignore_times: bool) -> bool:
    """Whether two identities are of one file, or of a copy of it where times do not count."""
    return before == now or (ignore_times and without_time(before) == without_time(now))


def has_size_and_time(identity: str, info: os.stat_result) -> bool:
    """Whether a file still has the size and the time of an identity: then it is the same."""
    return identity.startswith(f"{info.st_size}-{info.st_mtime_ns}-")


def describe_change(before: str, now: str) -> str:
    """`12 bytes of 2026-01-02T03:04:05, now 13 bytes of ...` of two identities, for people."""
    ours, theirs = _IDENTITY.fullmatch(before), _IDENTITY.fullmatch(now)
    if ours is None or theirs is None:
        return f"{before}, now {now}"
    text = f"{_describe(ours)}, now {_describe(theirs)}"
    return (
        f"{text}, the same but for the time" if without_time(before) == without_time(now) else text
    )


def _describe(identity: re.Match[str]) -> str:
    seconds = int(identity[2]) // 10**9
    return f"{int(identity[1]):,} bytes of {datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
