"""The files that one video's poses come from, as one thing with a size and an identity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from posemill.storage.identity import file_identity, without_time


@dataclass(frozen=True, slots=True)
class FilesSeen:
    """Size and identity of some files together."""

    num_bytes: int
    identity: str
    """Of one file as `file_identity`; of several `<bytes>-<newest mtime in ns>-<sha256 of all
    names and of what their own identities tell without times>`."""


def look_at_files(
    paths: Sequence[Path], known: str = "", identity_of: Callable[[Path], str] = file_identity
) -> FilesSeen:
    """What the files are now; read only where `known` has another size or another newest time.

    Raises:
        FileNotFoundError: one is not there, or there is none.
        OSError: one cannot be read.
    """
    if not paths:
        raise FileNotFoundError("no file is there any more")
    infos = [path.stat() for path in paths]
    num_bytes = sum(info.st_size for info in infos)
    outside = f"{num_bytes}-{max(info.st_mtime_ns for info in infos)}-"
    if known.startswith(outside):
        return FilesSeen(num_bytes, known)
    if len(paths) == 1:
        return FilesSeen(num_bytes, identity_of(paths[0]))
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}/{without_time(identity_of(path))}\n".encode())
    return FilesSeen(num_bytes, outside + digest.hexdigest())


def look_at_part(paths: Sequence[Path], num_bytes: int, known: str = "") -> FilesSeen:
    """The same of `num_bytes` of the files, in which others are, too: their identity is the files'.

    No file is read again for each of its parts.
    """
    return FilesSeen(num_bytes, look_at_files(paths, known, _identity_at_hand).identity)


def _identity_at_hand(path: Path) -> str:
    info = path.stat()
    return _identity(path, info.st_size, info.st_mtime_ns)


@lru_cache(maxsize=1024)
def _identity(path: Path, _num_bytes: int, _mtime_ns: int) -> str:
    return file_identity(path)
