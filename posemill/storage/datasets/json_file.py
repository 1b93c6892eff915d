"""JSON that somebody else wrote, faults named by file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from posemill.errors import InputError
from posemill.storage.strict_json import STRICT

MAX_FILE_BYTES = 256 << 20
"""Of one JSON value, which Python's objects hold in some ten times as much memory."""


def read_json(path: Path) -> Any:
    """The one value that a file holds.

    Raises:
        InputError: it has more than `MAX_FILE_BYTES`, or is no JSON.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{path}: has more than {MAX_FILE_BYTES:,} bytes. Give a smaller file.")
    return parse_json(data, path)


def parse_json(text: bytes | str, path: Path, line: int = 1) -> Any:
    """The value that the text which begins in a line of a file is.

    Raises:
        InputError: it is no JSON; NaN, infinity and a key twice are none.
    """
    try:
        return json.loads(text, **STRICT)
    except json.JSONDecodeError as error:
        place = f"{path}, line {line + error.lineno - 1}, character {error.colno}"
        raise InputError(f"{place}: {error.msg}; expected JSON. Correct the line.") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, no number, nested too deeply
        raise InputError(f"{path}, line {line}: {error}; expected JSON. Correct it.") from error
