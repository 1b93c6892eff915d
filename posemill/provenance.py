"""What something was made from, by and when: configurations, their hashes, versions, attempts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

_LIBRARIES = (
    *("posemill", "numpy", "numba", "zarr", "numcodecs", "pyarrow", "obstore"),
    *("opencv-python-headless", "opencv-python", "torch", "ai-edge-litert"),
    *("onnxruntime", "onnxruntime-gpu"),
)


def canonical_json(value: Any) -> str:
    """`value` as JSON that is equal for equal content: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """sha256, in hex, of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


@cache
def library_versions() -> Mapping[str, str]:
    """Versions of what is installed here of the libraries that results pass through.

    Information for people: those that decide what results are, the decoder's and
    the estimator's, are in the stores' configurations.
    """
    found = {}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@dataclass(frozen=True, slots=True)
class Attempt:
    """The run that made a commit: no part of what was made."""

    seconds: float
    """It took, from the first item to the last."""
    cost: float
    """It was expected to be, in the unit of the plan."""
    ended: str
    """UTC, ISO 8601."""
    versions: Mapping[str, str]

    @classmethod
    def ended_now(cls, seconds: float, cost: float) -> Self:
        """An attempt of this process that ends now."""
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(round(seconds, 3), round(cost, 3), ended, library_versions())

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        return cls(**{name: stored[name] for name in cls.__slots__})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """One line `key: ours, there theirs` for every leaf in which two configurations differ."""
    mine, other = dict(_leaves(ours)), dict(_leaves(theirs))
    return [
        f"{key}: asked for {mine.get(key, '(absent)')!r}, the store has "
        f"{other.get(key, '(absent)')!r}"
        for key in sorted(mine.keys() | other.keys())
        if mine.get(key, "(absent)") != other.get(key, "(absent)")
    ]


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
