"""Watches a child at work: its journal, its pulse, its limits."""

from __future__ import annotations

from time import monotonic

from posemill.pipelines.supervise.limits import GIB, Limits
from posemill.pipelines.supervise.memory import family_bytes
from posemill.pipelines.supervise.messages import Advanced, Begun, Cause, Finished, Item, Loss
from posemill.pipelines.supervise.pulse import PulseReader


class Watch:
    """Over the items that are in one child's hands."""

    def __init__(self, pid: int, pulse: PulseReader, limits: Limits, patience: float) -> None:
        """`patience` multiplies the limits of time."""
        self._items: dict[str, Item] = {}
        self._pid, self._pulse, self._limits, self._patience = pid, pulse, limits, patience
        self._begun: dict[str, float] = {}
        """When each was begun, or last got on."""
        self._beats, self._last_sign = pulse.beats, monotonic()

    @property
    def unfinished(self) -> tuple[Item, ...]:
        """Handed over and not finished, in that order."""
        return tuple(self._items.values())

    @property
    def suspects(self) -> tuple[Item, ...]:
        """Begun and not finished, newest first."""
        return tuple(self._items[item_id] for item_id in reversed(self._begun))

    def hand_over(self, item: Item) -> None:
        """The child has it from now on."""
        self._items[item.id] = item

    def note(self, message: Begun | Advanced | Finished) -> None:
        self._last_sign = monotonic()
        if isinstance(message, Begun | Advanced):
            self._begun[message.item_id] = self._last_sign  # one that is there keeps its place
        else:
            del self._begun[message.item_id], self._items[message.item_id]

    def overrun(self) -> Loss | None:
        """The limit that the child exceeds, if any."""
        return self._too_long() or self._too_silent() or self._too_large()

    def _too_long(self) -> Loss | None:
        now = monotonic()
        for item_id, since in self._begun.items():
            limit = self._patience * self._limits.seconds_for(self._items[item_id].cost)
            if now - since > limit:
                return Loss(Cause.TIMEOUT, f"no further within its limit of {limit:.0f} s")
        return None

    def _too_silent(self) -> Loss | None:
        limit = self._patience * self._limits.silence_seconds
        if (beats := self._pulse.beats) != self._beats:
            self._beats, self._last_sign = beats, monotonic()
        if monotonic() - self._last_sign <= limit:
            return None
        return Loss(Cause.TIMEOUT, f"no sign of life for {limit:.0f} s")

    def _too_large(self) -> Loss | None:
        limit = self._limits.memory_bytes
        if (held := family_bytes(self._pid)) <= limit:
            return None
        return Loss(
            Cause.MEMORY, f"held {held / GIB:.2f} GiB of memory, its limit is {limit / GIB:.2f} GiB"
        )
