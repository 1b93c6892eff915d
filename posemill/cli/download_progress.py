"""Shows how much of a download has come: a bar on a terminal, one line in a log."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)


class DownloadProgress:
    """Writes to standard error; use as a context manager, call as an `OnBytes`."""

    def __init__(self, what: str, console: Console | None = None) -> None:
        self._what = what
        self._console = console or Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, received: int, expected: int | None) -> None:
        if self._task is None:
            self._task = self._begin(expected)
        self._progress.update(self._task, completed=received, total=expected)

    def _begin(self, expected: int | None) -> TaskID:
        if not self._console.is_terminal:
            size = "of unknown size" if expected is None else f"of {expected / 1e6:.1f} MB"
            self._console.print(f"fetching {self._what} {size}", markup=False, highlight=False)
        self._progress.start()
        return self._progress.add_task(self._what, total=expected)
