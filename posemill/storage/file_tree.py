"""The files below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def files_below(folder: Path) -> Iterator[PurePosixPath]:
    """Paths below `folder` of all that is no folder and not hidden, in no order.

    Symbolic links are followed, each folder once.

    Raises:
        OSError: a folder cannot be looked into, or is not there.
    """
    pending, seen = [folder], set[str]()
    while pending:
        current = pending.pop()
        if (real := os.path.realpath(current)) in seen:
            continue
        seen.add(real)
        for entry in current.iterdir():
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                pending.append(entry)
            else:
                yield PurePosixPath(entry.relative_to(folder).as_posix())
