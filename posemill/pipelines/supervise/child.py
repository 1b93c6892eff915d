"""The child's side of supervision; run as a module by `process.ChildProcess`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any

from posemill.errors import EnvironmentFault
from posemill.pipelines.supervise.kin import end_with_parent
from posemill.pipelines.supervise.losses import ProcessLost, describe, loss_of_error
from posemill.pipelines.supervise.messages import (
    Advanced,
    Begun,
    Broke,
    Fault,
    Finished,
    Item,
    Job,
    JobSpec,
    NotReady,
    Ready,
    Want,
)
from posemill.pipelines.supervise.pulse import PulseWriter

_ADVANCE_SECONDS = 0.5
"""The parent need not know more often; far below any limit."""


class PipedItems(Iterator[Item | None]):
    """Asks the parent for each; the `items` of `messages.Job.work`."""

    def __init__(self, requests: Connection, answers: Connection) -> None:
        self._requests, self._answers = requests, answers

    def __next__(self) -> Item | None:
        self._answers.send(Want())
        try:
            item: Item | None = self._requests.recv()
        except EOFError:
            raise StopIteration from None
        return item


class PipeJournal:
    """Tells the parent; satisfies `messages.Journal`."""

    def __init__(self, answers: Connection, pulse: PulseWriter) -> None:
        self._answers = answers
        self.beat = pulse.beat
        self._told: dict[str, float] = {}
        """When the parent last heard of an item that is at work."""

    def begin(self, item_id: str) -> None:
        self.beat("")
        self._told[item_id] = monotonic()
        self._answers.send(Begun(item_id))

    def advance(self, item_id: str) -> None:
        if monotonic() - self._told[item_id] >= _ADVANCE_SECONDS:
            self._told[item_id] = monotonic()
            self._answers.send(Advanced(item_id))

    def finish(self, item_id: str, result: Any) -> None:
        self.beat("handing over the result")
        del self._told[item_id]
        self._answers.send(Finished(item_id, result))


def main() -> None:
    """Build a job, prove it, then do what is asked until the parent goes."""
    end_with_parent(parent=os.getpgrp())  # the guard, which kills its group
    _go_first_when_memory_is_short()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the driver's output is not a log
    fds = [int(text) for text in sys.argv[1:]]
    for fd in fds:
        os.set_inheritable(fd, False)
    requests, answers = Connection(fds[0], writable=False), Connection(fds[1], readable=False)
    spec: JobSpec = requests.recv()
    try:
        job = spec.build()
        job.probe()
    except Exception as error:  # noqa: BLE001 - known-good work: nothing else is at fault
        answers.send(NotReady(describe(error)))
        return
    answers.send(Ready(os.getpid(), job.facts))
    _serve(job, requests, answers, PulseWriter(fds[2]))


def _serve(job: Job, requests: Connection, answers: Connection, pulse: PulseWriter) -> None:
    try:
        job.work(PipedItems(requests, answers), PipeJournal(answers, pulse))
    except (EnvironmentFault, OSError) as error:
        answers.send(Fault(describe(error)))
    except ProcessLost as lost:  # one that the job had started
        answers.send(Broke(lost.loss))
    except Exception as error:  # noqa: BLE001 - decided by another try and the probe
        answers.send(Broke(loss_of_error(error)))


def _go_first_when_memory_is_short() -> None:
    """The kernel shall take the child before its parent, who knows what the child did."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
