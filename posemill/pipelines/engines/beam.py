"""The Beam engine: shards as elements of a pipeline, on any of Beam's runners."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack

from posemill.errors import EnvironmentFault, MissingDependency
from posemill.pipelines.engines.base import EngineOptions, OnEvent, RunReport
from posemill.pipelines.engines.gpus import GpuShares
from posemill.pipelines.engines.harness_crew import HarnessJob, end_run
from posemill.pipelines.engines.mail import Mailbox
from posemill.pipelines.engines.mail_results import MailResults
from posemill.pipelines.engines.quiet_import import quiet_import
from posemill.pipelines.tasks import ShardTask, WorkerSpec
from posemill.storage.objects import Place

try:
    quiet_import("apache_beam")
except ImportError as error:
    raise MissingDependency("apache-beam", "beam", "--engine beam") from error

from posemill.pipelines.engines.beam_options import BeamParameters
from posemill.pipelines.engines.beam_run import PipelineRun, new_pipeline

_CONNECT_SECONDS = 10.0


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
        pipeline = new_pipeline(self._parameters)
        box = Mailbox.create(self._parameters.mailbox or mailbox)
        results = MailResults(tasks, on_event, self._options.start_timeout_seconds)
        with ExitStack() as last:
            last.callback(box.remove)
            job = HarnessJob(worker, self._options, box)
            run = PipelineRun(pipeline, tasks, job, self._parameters)
            last.callback(run.end)
            last.callback(end_run, box.name)
            last.callback(box.close)  # from here on processes elsewhere end by themselves, too
            while not run.wait(box.seconds):
                results.take_all(box.collect())
                results.require_sign_of_life()
            results.take_all(box.collect())
        run.require_success(results.crew_failure)
        return results.report()

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
