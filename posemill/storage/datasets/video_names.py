"""Videos whose names are their annotations."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from posemill.errors import InputError

OTHER_NAMES = "videos of other names"


@dataclass(frozen=True, slots=True)
class NamedVideo:
    """A video, and what its name tells."""

    path: str
    """As in `ListedVideo`."""
    parts: Mapping[str, str]
    """The named groups of the form that its path is of."""

    def __getitem__(self, part: str) -> str:
        return self.parts[part]

    def number(self, part: str) -> int:
        """A part that the form has digits alone in."""
        return int(self.parts[part])


def named_videos(names: Collection[str], *forms: re.Pattern[str]) -> list[NamedVideo]:
    """Those of the paths that are of a form from their first folder or a later one on."""
    found = list[NamedVideo]()
    for path in sorted(names):
        match = next(filter(None, (_match(form, path) for form in forms)), None)
        if match is not None:
            found.append(NamedVideo(path, match.groupdict()))
    return found


def require_no_annotations(dataset: str, annotations: Sequence[Path]) -> None:
    """Raises:
    InputError: a file is given, of which nothing would be read.
    """
    if annotations:
        raise InputError(
            f"{', '.join(map(str, annotations))}: {dataset} reads no file of annotations, the "
            "videos' names tell all. Give the videos' folder alone."
        )


class PathsOfIds:
    """Refuses an id that two videos have, and names both."""

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}

    def add(self, id_: str, path: str) -> None:
        """Raises:
        InputError: another path was added for it before.
        """
        if (first := self._paths.setdefault(id_, path)) != path:
            raise InputError(
                f"both {first!r} and {path!r} below the folder of the videos are {id_!r}. "
                "Move one of them out of the folder."
            )


def _match(form: re.Pattern[str], path: str) -> re.Match[str] | None:
    starts = [0, *(at + 1 for at, sign in enumerate(path) if sign == "/")]
    return next(filter(None, (form.fullmatch(path, start) for start in starts)), None)
