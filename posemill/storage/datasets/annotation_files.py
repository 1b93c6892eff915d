"""Which files annotations are in, and where in them each id was first seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from posemill.errors import InputError
from posemill.storage.datasets.text_rows import Row


def files_of(given: Sequence[Path], *patterns: str) -> list[Path]:
    """The files that are given, and those in given folders whose names match a pattern, sorted.

    Raises:
        InputError: a folder holds none, or a file is given twice.
        OSError: a folder cannot be looked into.
    """
    files = list[Path]()
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted({file for pattern in patterns for file in path.glob(pattern)})
        if not found:
            raise InputError(f"{path}: no file {' or '.join(patterns)} is in it. Give its folder.")
        files += found
    if len({file.resolve() for file in files}) < len(files):
        raise InputError(f"a file is given twice: {', '.join(map(str, files))}")
    return files


class LinesOfIds:
    """Refuses an id that is there twice, and names both places."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._places: dict[str, tuple[Path, int]] = {}

    def add(self, id_: str, row: Row) -> None:
        """Raises:
        InputError: it was added before.
        """
        first = self._places.setdefault(id_, (row.path, row.line))
        if first != (row.path, row.line):
            path, line = first
            row.refuse(f"the {self._what} {id_!r} is in {path}, line {line}, too")
