"""What an export would take of a store, and what it leaves out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from posemill.pipelines.events import Event
from posemill.schema import VideoStatus

NOT_MADE = "not made"
NOT_IN_STORE = "not in the store"
UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A video, clip or row that is not exported."""

    item_id: str
    why: str
    """A video's status, such as `quarantined`, or one of this module's words."""
    message: str = ""

    def __str__(self) -> str:
        return f"{self.item_id}: left out, {self.why}" + (f": {self.message}" * bool(self.message))


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What there is to export."""

    unit: str
    """What an item is: `video` or `clip`."""
    num_items: int
    left_out: tuple[LeftOut, ...]
    classes: tuple[str, ...] = ()
    """Names of the classes by number, where labels are exported."""

    def as_dict(self) -> dict[str, Any]:
        return {
            f"{self.unit}s": self.num_items,
            "classes": list(self.classes),
            **left_out_as_dict(self.left_out),
        }


class ExportJob(Protocol):
    """One export of one store."""

    @property
    def plan(self) -> ExportPlan: ...

    @property
    def num_shards(self) -> int:
        """Of the store, that are read."""

    def write(self, draft: Path, on_event: Callable[[Event], None]) -> Sequence[LeftOut]:
        """Export all items; returns those of the plan's that could not be."""


def tally_left_out(left_out: Sequence[LeftOut]) -> dict[str, int]:
    """How many were left out, by the reason."""
    return dict(sorted(Counter(each.why for each in left_out).items()))


def left_out_as_dict(left_out: Sequence[LeftOut]) -> dict[str, Any]:
    return {
        "left_out": tally_left_out(left_out),
        "left_out_items": [
            {"id": each.item_id, "why": each.why, "message": each.message} for each in left_out
        ],
    }


def num_unhappy(left_out: Sequence[LeftOut]) -> int:
    """Those left out for another reason than that their video was missing, which is normal."""
    return sum(each.why != VideoStatus.MISSING for each in left_out)
