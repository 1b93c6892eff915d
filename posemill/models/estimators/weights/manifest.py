"""What was pulled into a folder: each file's hash, where it came from and when.

Where nobody publishes a hash, the first pull decides what is right: what came is
trusted, its hash is kept here, and whoever loads the file compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from posemill.errors import WeightsUnavailable

FILE_NAME = "manifest.json"
_FORMAT = "posemill-weights/1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Of one folder of weights."""

    source: str
    """Where they came from: an address, a wheel, a repository and its commit."""
    source_sha256: str
    """Of what was fetched, where that is one file; else empty."""
    pulled_at: str
    """UTC, ISO 8601."""
    sha256: Mapping[str, str]
    """Of each file, by its name in the folder."""


def new_manifest(source: str, source_sha256: str, folder: Path, names: tuple[str, ...]) -> Manifest:
    """Of files that have just come into `folder`."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(
        source, source_sha256, now, {name: file_sha256(folder / name) for name in names}
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Raises:
    OSError: the folder cannot be written.
    """
    text = json.dumps({"format": _FORMAT, **asdict(manifest)}, indent=2)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """None where there is none.

    Raises:
        WeightsUnavailable: it is damaged, or of another format.
    """
    path = folder / FILE_NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format") != _FORMAT:
            raise ValueError(f"its format is not {_FORMAT}")
        manifest = Manifest(**values)
        if not all(isinstance(digits, str) for digits in manifest.sha256.values()):
            raise ValueError("a hash is no text")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsUnavailable(
            f"{path} is not the list of what was pulled: {error}; remove {folder} and pull again"
        ) from error
    return manifest


def file_sha256(path: Path) -> str:
    """Of all bytes of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
