"""What JSON that somebody else wrote must be beyond what Python takes: real numbers, keys once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON's")


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"an object has the key {twice[:60]!r} twice")
    return found


STRICT: dict[str, Any] = {"parse_constant": _refuse, "object_pairs_hook": _unique}
"""Arguments of `json.loads` and of `json.JSONDecoder`, which then raise ValueError."""
