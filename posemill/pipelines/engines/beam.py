"""The Beam engine: shards as elements of a pipeline, on any of Beam's runners."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from posemill.errors import EnvironmentFault, MissingDependency
from posemill.pipelines.engines.base import EngineOptions, OnEvent, RunReport
from posemill.pipelines.engines.gpus import GpuShares
from posemill.pipelines.engines.harness_crew import HarnessJob, end_run
from posemill.pipelines.engines.mail import Mailbox
from posemill.pipelines.engines.message_json import CrewFailed, Told
from posemill.pipelines.engines.quiet_import import quiet_import
from posemill.pipelines.events import ShardEnded
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask, WorkerSpec
from posemill.storage.objects import Place

try:
    quiet_import("apache_beam")
except ImportError as error:
    raise MissingDependency("apache-beam", "beam", "--engine beam") from error

from posemill.pipelines.engines.beam_options import BeamParameters
from posemill.pipelines.engines.beam_run import PipelineRun

_CONNECT_SECONDS = 10.0
_BEST = (ShardOutcome.COMMITTED, ShardOutcome.LOST_RACE, ShardOutcome.SKIPPED, ShardOutcome.FAILED)
"""Of several results of one shard in one run the first of these counts."""


class BeamEngine:
    """A pipeline over shards; satisfies `engines.base.Engine`.

    Each process that the runner starts has `options.workers` worker processes.
    """

    def __init__(self, options: EngineOptions) -> None:
        """Raises:
        InputError: a parameter that neither the engine nor Beam knows, or more GPUs than
            this machine has, where the workers are to run on it.
        """
        self._options = options
        self._parameters = BeamParameters.parse(options.parameters)
        if self._parameters.runner is None:
            GpuShares.of_machine(options.gpus_per_worker, options.workers)

    def run(
        self, tasks: Sequence[ShardTask], worker: WorkerSpec, on_event: OnEvent, mailbox: Place
    ) -> RunReport:
        """As `Engine.run`."""
        if not tasks:
            return RunReport(())
        self._require_job_server()
        box = Mailbox.create(self._parameters.mailbox or mailbox)
        told = _Told(on_event)
        with ExitStack() as last:
            last.callback(box.remove)
            run = PipelineRun(tasks, HarnessJob(worker, self._options, box), self._parameters)
            last.callback(run.end)
            last.callback(end_run, box.name)
            last.callback(box.close)  # from here on processes elsewhere end by themselves, too
            while not run.wait(box.seconds):
                told.take(box.collect())
            told.take(box.collect())
        run.require_success(told.crew_failure)
        return RunReport(tuple(told.result(task) for task in tasks))

    def _require_job_server(self) -> None:
        """Raises:
        EnvironmentFault: nobody answers where it is said to be; Beam would try for minutes.
        """
        endpoint = self._parameters.job_endpoint
        if endpoint is None or endpoint == "embed":
            return
        host, _, port = endpoint.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
        except (OSError, ValueError) as error:
            raise EnvironmentFault(
                f"no Beam job server answers at job_endpoint={endpoint} ({error}); start it, or "
                "correct the address (HOST:PORT)"
            ) from error


class _Told:
    """What the workers of a run told, and what of it each shard's result is."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._results: dict[int, ShardResult] = {}
        self._ended: set[int] = set()
        self.crew_failure: str | None = None

    def take(self, messages: Iterable[Told]) -> None:
        """Pass events on; a runner may have a shard done twice, whose end is told once."""
        for message in messages:
            match message:
                case CrewFailed(message=text):
                    self.crew_failure = text
                case ShardResult():
                    self._note(message)
                case ShardEnded(shard_id=shard_id) if shard_id in self._ended:
                    continue
                case _:
                    if isinstance(message, ShardEnded) and message.outcome != ShardOutcome.FAILED:
                        self._ended.add(message.shard_id)
                    self._on_event(message)

    def result(self, task: ShardTask) -> ShardResult:
        lost = "no worker told what became of it, though the Beam job is done"
        unheard = ShardResult(task.shard_id, ShardOutcome.FAILED, message=lost)
        return self._results.get(task.shard_id, unheard)

    def _note(self, result: ShardResult) -> None:
        known: Any = self._results.get(result.shard_id, result)
        self._results[result.shard_id] = min(
            known, result, key=lambda each: _BEST.index(each.outcome)
        )
