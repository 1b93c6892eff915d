"""Tells whether a file is still the one that was seen, without reading all of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_WINDOW_BYTES = 1 << 20


def file_identity(path: str | os.PathLike[str]) -> str:
    """`<bytes>-<mtime in ns>-<sha256 of the first and the last MiB>` of a file.

    Raises:
        OSError: the file is missing or cannot be read.
    """
    with Path(path).open("rb") as file:
        info = os.fstat(file.fileno())
        digest = hashlib.sha256(file.read(_WINDOW_BYTES))
        if info.st_size > _WINDOW_BYTES:
            file.seek(max(_WINDOW_BYTES, info.st_size - _WINDOW_BYTES))
            digest.update(file.read(_WINDOW_BYTES))
    return f"{info.st_size}-{info.st_mtime_ns}-{digest.hexdigest()}"
