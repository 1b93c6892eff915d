"""Shards as elements of a Beam pipeline: what happens to them in a runner's processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, wait
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from posemill.pipelines.engines.harness_crew import (
    HarnessCrew,
    HarnessJob,
    ShardEnd,
    acquire,
    release,
)
from posemill.pipelines.engines.message_json import to_lines
from posemill.pipelines.tasks import ShardOutcome, ShardTask

DONE, FAILED = "done", "failed"
NAMESPACE = "posemill"
"""Of the counters."""


class ShardDoFn(beam.DoFn):  # type: ignore[misc]
    """Hands shards to the crew of its process; gives each result as a line of JSON.

    A shard that fails is no failure of its bundle, which a runner would try again with
    all its other shards: its result goes to the output `FAILED`. A bundle fails where no
    worker of this process is of use, so that the runner tries another machine.
    """

    def __init__(self, job: HarnessJob) -> None:
        self._job = job
        self._held: HarnessCrew | None = None
        self._ends: list[Future[ShardEnd]] = []

    def setup(self) -> None:
        self._held = acquire(self._job)

    def start_bundle(self) -> None:
        self._ends = []

    def process(self, task: ShardTask) -> Iterator[Any]:
        """Waits only while the crew has enough to do, not for the shard itself."""
        self._ends.append(self._crew().submit(task))
        yield from self._take([end for end in self._ends if end.done()])

    def finish_bundle(self) -> Iterator[Any]:
        """Waits for all shards of the bundle: a runner may count on them then."""
        wait(self._ends)
        for output in self._take(list(self._ends)):
            output.value = WindowedValue(output.value, MIN_TIMESTAMP, (GlobalWindow(),))
            yield output
        self._crew().flush()

    def teardown(self) -> None:
        if self._held is not None:
            release(self._held)
            self._held = None

    def _crew(self) -> HarnessCrew:
        assert self._held is not None  # noqa: S101 - bundles come between setup and teardown
        return self._held

    def _take(self, ends: list[Future[ShardEnd]]) -> Iterator[Any]:
        """Results of shards that ended, each for its output, and counted."""
        for end in ends:
            self._ends.remove(end)
            done = end.result()
            _count(done)
            failed = done.result.outcome is ShardOutcome.FAILED
            line = to_lines([done.result]).decode().rstrip()
            yield beam.pvalue.TaggedOutput(FAILED if failed else DONE, line)


def _count(end: ShardEnd) -> None:
    """The numbers of the progress display, where the runner shows them."""
    for status, number in end.statuses.items():
        Metrics.counter(NAMESPACE, f"items_{status}").inc(number)
    Metrics.counter(NAMESPACE, "frames").inc(end.num_frames)
    Metrics.counter(NAMESPACE, f"shards_{end.result.outcome}").inc()


def add_shards(
    pipeline: beam.Pipeline, tasks: list[ShardTask], job: HarnessJob, dead_letter: str | None
) -> None:
    """Have the tasks done; results of failed ones are written to files named `dead_letter`-..."""
    outputs = (
        pipeline
        | "Shards" >> beam.Create(tasks, reshuffle=False)
        | "Spread" >> beam.Reshuffle()
        | "Work" >> beam.ParDo(ShardDoFn(job)).with_outputs(FAILED, DONE)
    )
    if dead_letter is not None:
        writing = beam.io.WriteToText(dead_letter, file_name_suffix=".jsonl")
        _ = outputs[FAILED] | "Dead letters" >> writing
