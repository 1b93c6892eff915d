"""What workers tell, as JSON lines: for a channel that others may write to as well.

Never pickled: who reads a pickle runs what it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import EnumMeta
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from posemill.errors import EnvironmentFault
from posemill.pipelines.events import Event
from posemill.pipelines.tasks import ShardResult


@dataclass(frozen=True, slots=True)
class CrewFailed:
    """Last words of a crew that no driver watches: none of its workers is of any use."""

    message: str


Told = Event | ShardResult | CrewFailed

KINDS: Mapping[str, type[Told]] = MappingProxyType(
    {kind.__name__: kind for kind in (*get_args(Event), ShardResult, CrewFailed)}
)


def to_lines(messages: Iterable[Told]) -> bytes:
    """A line of JSON for each."""
    return b"".join(_line(message) for message in messages)


def from_lines(data: bytes, place: str) -> list[Told]:
    """The messages of lines that were found at `place`.

    Raises:
        EnvironmentFault: a line is none of this version's messages.
    """
    try:
        return [_message(json.loads(line)) for line in data.splitlines()]
    except (ValueError, KeyError, TypeError) as error:
        raise EnvironmentFault(
            f"{place}: not what workers of this version of posemill tell "
            f"({type(error).__name__}: {error}). Have workers and driver run the same version"
        ) from error


def _line(message: Told) -> bytes:
    return json.dumps({"kind": type(message).__name__, **asdict(message)}).encode() + b"\n"


def _message(fields: dict[str, Any]) -> Told:
    kind = KINDS[fields.pop("kind")]
    hints = get_type_hints(kind)
    return kind(**{name: _value(value, hints[name]) for name, value in fields.items()})


def _value(value: Any, hint: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return hint(value) if isinstance(hint, EnumMeta) else value
