"""How far a training is: a line that is written over on a terminal, a line per epoch in a log."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from posemill.pipelines.train import EpochEnded, StepsDone, TrainEvent


class TrainingLines:
    """Shows events on standard error; use as a context manager, call with each event."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr)
        self._live = Live(console=self._console, transient=True)

    @property
    def is_first_process(self) -> bool:
        """Whether this process is the one that tells, below torchrun."""
        return os.environ.get("RANK", "0") == "0"

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()
        if kind is KeyboardInterrupt and self.is_first_process:
            self._console.print("interrupted; the same command goes on from the last checkpoint")

    def __call__(self, event: TrainEvent) -> None:
        from posemill.pipelines.train import BeganWith, StepsDone  # torch is there by now

        if isinstance(event, StepsDone):
            if self._console.is_terminal:
                self._live.update(Text(_steps_line(event)))
            return
        line = (
            f"begins with {event.weights}" if isinstance(event, BeganWith) else _epoch_line(event)
        )
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _epoch_line(event: EpochEnded) -> str:
    score = "" if event.held_out_score is None else f"held out {event.held_out_score:.1%}, "
    return (
        f"epoch {event.epoch} of {event.num_epochs}: loss {event.loss:.3f}, accuracy "
        f"{event.accuracy:.1%}, {score}rate {event.learning_rate:.2g}, "
        f"{event.samples_per_second:,.0f} samples/s, {event.waiting_share:.0%} waiting for data, "
        f"{event.seconds:.1f} s"
    )


def _steps_line(event: StepsDone) -> str:
    return (
        f"epoch {event.epoch} of {event.num_epochs}, step {event.step} of {event.num_steps}: loss "
        f"{event.loss:.3f}, {event.samples_per_second:,.0f} samples/s, {event.waiting_share:.0%} "
        "waiting for data"
    )
