"""Makes tar files as data sets have them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path


def make_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    """A tar file of regular files, in order, all of time 7."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(data), 7
            tar.addfile(entry, io.BytesIO(data))
    return path
