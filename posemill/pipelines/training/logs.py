"""What a run tells of itself while it trains: TensorBoard's events, where that is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from time import sleep, time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"
_FILES = "events.out.tfevents.*"


class EventLog:
    """Scalars for TensorBoard in a run's folder; none where the package is not installed.

    A context manager. What an interrupted call wrote of `first_step` and later is hidden.
    """

    def __init__(self, run_dir: Path, first_step: int, *, enabled: bool = True) -> None:
        self._folder, self._first_step = run_dir / FOLDER, first_step
        self._enabled = enabled and find_spec("tensorboard") is not None
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, scalars: Mapping[str, float | None], step: int) -> None:
        """Write the values of a step; those that are None are left out."""
        if not self._enabled:
            return
        writer = self._opened()
        for name, value in scalars.items():
            if value is not None:
                writer.add_scalar(name, value, step)
        writer.flush()  # before the checkpoint of the step, or they might be lost for good

    def _opened(self) -> SummaryWriter:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            _let_second_pass(self._folder)
            self._writer = SummaryWriter(str(self._folder), purge_step=self._first_step)
        return self._writer


def _let_second_pass(folder: Path) -> None:
    """Wait while a file of events would begin in the same second as another.

    TensorBoard reads them in the order of their names, which is otherwise not that of time.
    """
    while any(each.name.split(".")[3] == f"{int(time()):010d}" for each in folder.glob(_FILES)):
        sleep(0.05)
