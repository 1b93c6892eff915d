"""Progress of a stage, from its events: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from posemill.pipelines.events import (
    Event,
    ItemDone,
    ItemsRetried,
    ShardEnded,
    StageEnded,
    StageStarted,
    WorkerLost,
    WorkerRetired,
)

_LOG_LINES = 10  # of an undisturbed stage without a terminal


class ProgressDisplay:
    """Shows events on standard error; use as a context manager, call with each event."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._stage = ""
        self._num_items = 0
        self._done = 0
        self._unhappy = 0
        self._items_done: dict[int, set[str]] = {}
        """By shards that have not ended: one whose worker is lost has its items done again."""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
        if kind is KeyboardInterrupt:
            self._console.print("interrupted; the same command completes the work")

    def __call__(self, event: Event) -> None:
        match event:
            case StageStarted(stage=stage, num_items=num_items):
                self._begin(stage, num_items)
            case ItemDone():
                self._item(event)
            case ShardEnded(outcome="failed"):
                self._console.print(f"shard {event.shard_id} failed: {event.message}", markup=False)
            case ShardEnded(outcome="skipped", num_items=num_items):  # another attempt did it
                known = self._items_done.pop(event.shard_id, set())
                self._advance(self._done + num_items - len(known))
            case ShardEnded():
                self._items_done.pop(event.shard_id, None)
            case WorkerLost():
                self._console.print(f"{event.message}; trying again", markup=False)
            case ItemsRetried(item_ids=suspects):
                names = ", ".join(suspects) or "no video"
                line = f"{names}: {event.message}; trying again in a fresh process"
                self._console.print(line, markup=False)
            case WorkerRetired():
                self._console.print(f"a worker is retired: {event.message}", markup=False)
            case StageEnded(stage=stage, seconds=seconds):
                self._end(stage, seconds)
            case _:
                pass

    def counter(self, stage: str) -> Callable[[int, int], None]:
        """A callback (done, total) for work that is no stage of shards."""

        def show(done: int, total: int) -> None:
            if self._stage != stage:
                self._begin(stage, total)
            self._advance(done)

        return show

    def _begin(self, stage: str, num_items: int) -> None:
        self._stage, self._num_items, self._done, self._unhappy = stage, num_items, 0, 0
        self._items_done.clear()
        self._task = self._progress.add_task(stage, total=num_items, note="")

    def _item(self, event: ItemDone) -> None:
        done = self._items_done.setdefault(event.shard_id, set())
        if event.item_id in done:
            return
        done.add(event.item_id)
        if event.status in ("quarantined", "missing"):
            self._unhappy += 1
            cause = f": {event.message}" if event.message else ""
            self._console.print(f"{event.item_id}: {event.status}{cause}", markup=False)
        self._advance(self._done + 1)

    def _advance(self, done: int) -> None:
        self._done = done
        note = f"{self._unhappy} not usable" if self._unhappy else ""
        if self._task is not None:
            self._progress.update(self._task, completed=self._done, note=note)
        step = max(1, self._num_items // _LOG_LINES)
        if not self._console.is_terminal and self._done % step == 0:
            line = f"{self._stage}: {self._done} of {self._num_items} {note}".rstrip()
            self._console.print(line, markup=False)

    def _end(self, stage: str, seconds: float) -> None:
        if not self._console.is_terminal:
            self._console.print(f"{stage}: done in {seconds:.1f} s", markup=False)
