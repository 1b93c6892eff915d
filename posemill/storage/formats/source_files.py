"""The files that one video's poses come from, as one thing with a size and an identity."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from posemill.storage.identity import file_identity, without_time


@dataclass(frozen=True, slots=True)
class FilesSeen:
    """Size and identity of some files together."""

    num_bytes: int
    identity: str
    """Of one file as `file_identity`; of several `<bytes>-<newest mtime in ns>-<sha256 of all
    names and of what their own identities tell without times>`."""


def look_at_files(paths: Sequence[Path], known: str = "") -> FilesSeen:
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
        return FilesSeen(num_bytes, file_identity(paths[0]))
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}/{without_time(file_identity(path))}\n".encode())
    return FilesSeen(num_bytes, outside + digest.hexdigest())
