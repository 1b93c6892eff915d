"""Configurations as canonical JSON, their hashes, and what tells two of them apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any


def canonical_json(value: Any) -> str:
    """`value` as JSON that is equal for equal content: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """sha256, in hex, of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


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
