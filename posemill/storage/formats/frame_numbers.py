"""Which frame of a video something is of, by its number or by a file's name."""

from __future__ import annotations

import re
from pathlib import PurePath, PurePosixPath
from typing import Any

from posemill.errors import UnreadablePoses
from posemill.storage.formats.json_text import brief

MAX_FRAMES = 10_000_000  # 46 hours of 60 frames a second
_AT_END = re.compile(r"(?<![0-9])[0-9]{1,18}\Z")


def frame_index(where: str, number: Any, first_frame: int) -> int:
    """Counted from 0, of a frame with a number where the first one has `first_frame`.

    Raises:
        UnreadablePoses: no frame has that number.
    """
    if type(number) is int and 0 <= number - first_frame < MAX_FRAMES:
        return number - first_frame
    raise UnreadablePoses(
        f"{where}: expected the number of a frame from first_frame={first_frame} on and below "
        f"{MAX_FRAMES:,}, got {brief(number)}"
    )


def number_at_end(stem: str) -> int | None:
    """The number that a name without its suffix ends in."""
    match = _AT_END.search(stem)
    return None if match is None else int(match[0])


def without_number(stem: str) -> str:
    """What is before the number at the end of a name, without a mark between them."""
    return stem.rstrip("0123456789").rstrip("-_. ")


def image_number(image: Any) -> Any:
    """Of a frame: an image's number, or that at the end of its name."""
    return number_at_end(PurePosixPath(image).stem) if isinstance(image, str) else image


def by_numbers(path: PurePath) -> list[int | str]:
    """A key to sort by the numbers in names, then by the rest: 2 before 10."""
    parts = re.split(r"([0-9]+)", path.name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]
