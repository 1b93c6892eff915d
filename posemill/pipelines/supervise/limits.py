"""How long and how large a supervised child may be."""

from __future__ import annotations

from dataclasses import dataclass, fields

from posemill.errors import InputError

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take before it is killed.

    Raises:
        InputError: a limit that is not positive.
    """

    item_seconds: float = 120.0
    """Time that any item may take until it is done or has got on."""
    item_seconds_per_cost: float = 60.0
    """Further time for each unit of an item's cost: a second of footage."""
    silence_seconds: float = 120.0
    """The longest time between two signs of life while there is work."""
    start_seconds: float = 300.0
    """From the start of a child until known-good work went through it."""
    memory_bytes: int = 8 * GIB
    """Memory of the child and all that it started: not files that they have mapped."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise InputError(f"the limit {field.name} must be above 0, got {value}")

    def seconds_for(self, cost: float) -> float:
        """Time that an item of this cost may take."""
        return self.item_seconds + self.item_seconds_per_cost * cost
