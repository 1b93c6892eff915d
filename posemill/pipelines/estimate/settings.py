"""How frames are put together for an estimator that looks at each alone."""

from __future__ import annotations

from dataclasses import dataclass

from posemill.errors import InputError


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Of each worker.

    Raises:
        InputError: a batch of no frames, or fewer than no processes.
    """

    frames: int | None = None
    """In a batch; None takes what a trial finds fastest on a GPU, and the estimator's greatest
    elsewhere."""
    processes: int = 0
    """That turn the network's output into people; 0 does it beside the network, which is enough
    unless that is faster than one core decodes."""

    def __post_init__(self) -> None:
        if self.frames is not None and self.frames < 1:
            raise InputError(f"a batch has at least 1 frame, got {self.frames}")
        if self.processes < 0:
            raise InputError(f"there cannot be {self.processes} processes; give 0 or more")
