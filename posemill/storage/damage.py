"""What a check of a store found: which of its places is not as it was committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Damage:
    """One place of a store that is not as it was committed."""

    place: str
    """Its path in the store."""
    problem: str
    items: tuple[str, ...] = ()
    """Ids of the videos or clips that it concerns; none where it concerns the whole store."""

    def as_dict(self) -> dict[str, Any]:
        return {"place": self.place, "problem": self.problem, "items": list(self.items)}

    def __str__(self) -> str:
        shown = ", ".join(self.items[:3]) + (" ..." if len(self.items) > 3 else "")
        return f"{self.place}: {self.problem}" + (f" ({shown})" if shown else "")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of one part of a store found."""

    damages: tuple[Damage, ...] = ()
    num_files: int = 0
    num_bytes: int = 0
    to_do: bool = False
    """Not damaged, and not made either, or void: the next run makes it."""
    mend: Callable[[], bool] | None = None
    """Commits that the damaged part is to be made again; False where another was first."""
