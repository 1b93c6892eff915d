"""Stops a stage in which so much is quarantined that something else must be wrong."""

from __future__ import annotations

from collections.abc import Callable

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.events import Event, ItemDone
from posemill.schema import VideoStatus

DEFAULT_SHARE = 0.05
_HANDFUL = 10
"""So many may be quarantined in a job, however few it has tried, unless none may be."""


_RETRY = "Mend the cause, run the same command again and `retry` what is quarantined"


class QuarantineLimit:
    """Passes events on, and counts the quarantined among the items that are done."""

    def __init__(
        self,
        share: float,
        on_event: Callable[[Event], None],
        noun: str = "videos",
        remedy: str = _RETRY,
    ) -> None:
        """`share` of the items tried may be quarantined, from 0 to 1; `noun` is what they are.

        Raises:
            InputError: no such share.
        """
        if not 0 <= share <= 1:
            raise InputError(f"the share that may be quarantined is from 0 to 1, got {share}")
        self._share, self._on_event = share, on_event
        self._noun, self._remedy = noun, remedy
        self._tried, self._quarantined, self._last = 0, 0, ""

    def __call__(self, event: Event) -> None:
        """Raises:
        EnvironmentFault: more is quarantined than may be.
        """
        self._on_event(event)
        if not isinstance(event, ItemDone):
            return
        self._tried += 1
        if event.status == VideoStatus.QUARANTINED:
            self._quarantined, self._last = self._quarantined + 1, event.message
            self._require_few()

    def _require_few(self) -> None:
        handful = _HANDFUL if self._share else 0
        if self._quarantined > max(handful, self._share * self._tried):
            raise EnvironmentFault(
                f"{self._quarantined} of {self._tried} {self._noun} tried are quarantined, more "
                f"than {self._share:.0%}, so something else than the videos must be wrong; the "
                f"last one: {self._last}. {self._remedy}; or allow more with --max-quarantined"
            )
