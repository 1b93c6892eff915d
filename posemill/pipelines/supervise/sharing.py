"""One supervisor for several threads: its child goes on from the items of one to the next one's."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread

from posemill.pipelines.supervise.messages import (
    Condemned,
    Finished,
    Item,
    Report,
    Setback,
)
from posemill.pipelines.supervise.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class AllTaken:
    """Reported: the child has every item; those of another lot can follow."""


class _Lot:
    """The items of one thread."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.waiting = deque(items)
        self.unfinished = {item.id for item in items}
        self.reports = SimpleQueue[Report | AllTaken | Exception | None]()
        """None after the last one."""

    def take(self) -> Item:
        item = self.waiting.popleft()
        if not self.waiting:
            self.reports.put(AllTaken())
        return item

    def told(self, report: Report) -> bool:
        """Hear a report; whether the last item has ended."""
        if isinstance(report, Finished | Condemned):
            self.unfinished.remove(report.item_id)
        self.reports.put(report)
        if not self.unfinished:
            self.reports.put(None)
        return not self.unfinished


class SharedSupervisor:
    """Gives the items of all threads to one child, the oldest thread's first.

    They are supervised in a thread of its own while there are any, so that whoever
    gave them can be busy with something else meanwhile.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._lock = Lock()
        self._lots: list[_Lot] = []
        """Whose items have not all ended, oldest first."""
        self._thread: Thread | None = None

    def ready(self) -> None:
        """As of `Supervisor`; before there is work."""
        self._supervisor.ready()

    def work(self, items: Sequence[Item]) -> Iterator[Report | AllTaken]:
        """Do the items; each is reported as `Finished` or `Condemned`, in any order.

        No two items that are at work may have the same id. Where whoever asked
        loses interest, items that the child does not have yet are not done.

        Raises:
            EnvironmentFault: known-good work fails, or the child is lost by no item's
                doing; all who have items at work are told.
        """
        if not items:
            return
        lot = _Lot(items)
        self._begin(lot)
        try:
            while (report := lot.reports.get()) is not None:
                if isinstance(report, Exception):
                    raise report
                yield report
        finally:
            self._forget(lot)

    def close(self) -> None:
        """End the child, when all work has ended."""
        if (thread := self._thread) is not None:
            thread.join()
        self._supervisor.close()

    def _begin(self, lot: _Lot) -> None:
        with self._lock:
            self._lots.append(lot)
            if self._thread is None:
                self._thread = Thread(target=self._supervise, daemon=True)
                self._thread.start()

    def _supervise(self) -> None:
        while self._goes_on():
            try:
                for report in self._supervisor.work(iter(self._next_item, self)):
                    self._deliver(report)
            except Exception as error:  # noqa: BLE001 - raised again by those who wait
                self._fail(error)

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._lots:
                self._thread = None
            return bool(self._lots)

    def _next_item(self) -> Item | None:
        with self._lock:
            return next((lot.take() for lot in self._lots if lot.waiting), None)

    def _deliver(self, report: Report) -> None:
        with self._lock:
            for lot, share in list(self._shares(report)):
                if lot.told(share):
                    self._lots.remove(lot)

    def _shares(self, report: Report) -> Iterator[tuple[_Lot, Report]]:
        """Who is to hear of what; of items whose owner has lost interest nobody is."""
        if isinstance(report, Setback) and not report.item_ids:
            yield from ((lot, report) for lot in self._lots[:1])
            return
        for lot in self._lots:
            if isinstance(report, Setback):
                own = tuple(item for item in report.item_ids if item in lot.unfinished)
                if own:
                    yield lot, Setback(own, report.message)
            elif report.item_id in lot.unfinished:
                yield lot, report

    def _fail(self, error: Exception) -> None:
        with self._lock:
            for lot in self._lots:
                lot.reports.put(error)
            self._lots.clear()

    def _forget(self, lot: _Lot) -> None:
        with self._lock:
            if lot in self._lots:
                self._lots.remove(lot)
