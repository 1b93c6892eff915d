"""JSON that somebody else wrote: read within a budget of bytes, faults named by their place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from posemill.errors import UnreadablePoses
from posemill.storage.strict_json import STRICT

MAX_VALUE_BYTES = 16 << 20
"""Of one JSON value, which Python's objects hold in some ten times as much memory. A frame of
a thousand people has half a megabyte."""


def read_json(path: Path) -> Any:
    """The one value that a file holds.

    Raises:
        UnreadablePoses: it is longer than `MAX_VALUE_BYTES`, or no JSON.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_VALUE_BYTES + 1)
    return _parse(data, str(path))


def read_json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """The value in each line that is not empty, and the name of its place: `FILE, line 7`.

    Raises:
        UnreadablePoses: a line is longer than `MAX_VALUE_BYTES`, or no JSON.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        for number in count(1):
            line = file.readline(MAX_VALUE_BYTES + 1)
            if not line:
                return
            if not line.isspace():
                place = f"{path}, line {number}"
                yield place, _parse(line, place)


def brief(value: Any) -> str:
    """A value in a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def too_long(place: str) -> UnreadablePoses:
    """The error for a value of more than `MAX_VALUE_BYTES`."""
    return UnreadablePoses(
        f"{place}: a JSON value of more than {MAX_VALUE_BYTES:,} bytes, which no frame's poses have"
    )


@contextmanager
def json_faults(place: str) -> Iterator[None]:
    """What Python's json raises, as UnreadablePoses at a place."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise UnreadablePoses(
            f"{place}, character {error.pos + 1}: {error.msg}; expected JSON, so the file is cut "
            "short or of another kind"
        ) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not a number, nested too deeply
        raise UnreadablePoses(f"{place}: {error}; expected JSON") from error


def _parse(data: bytes, place: str) -> Any:
    if len(data) > MAX_VALUE_BYTES:
        raise too_long(place)
    with json_faults(place):
        return json.loads(data, **STRICT)
