"""What a run tells of itself while it trains: TensorBoard's events, where that is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"


class EventLog:
    """Scalars for TensorBoard in the run's folder; none where the package is not installed."""

    def __init__(self, run_dir: Path, first_step: int, *, enabled: bool = True) -> None:
        self._writer = _writer(run_dir / FOLDER, first_step) if enabled else None

    def add(self, scalars: Mapping[str, float | None], step: int) -> None:
        """Note the values of a step; those that are None are left out."""
        if self._writer is None:
            return
        for name, value in scalars.items():
            if value is not None:
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is held back."""
        if self._writer is not None:
            self._writer.close()


def _writer(folder: Path, first_step: int) -> SummaryWriter | None:
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    # What an interrupted call wrote of later steps is hidden.
    return SummaryWriter(str(folder), purge_step=first_step)
