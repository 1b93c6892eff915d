"""The Ray engine: a crew of actors, on a cluster or on one started for the run."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from importlib.metadata import version
from itertools import count
from secrets import token_hex
from time import sleep
from typing import Any

from posemill.errors import MissingDependency
from posemill.pipelines.engines.base import EngineOptions, OnEvent, RunReport
from posemill.pipelines.engines.crew import Crew
from posemill.pipelines.engines.gpus import GpuShares
from posemill.pipelines.engines.worker_link import LinkLost, Message
from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask, WorkerSpec
from posemill.storage.objects import Place

try:
    import ray
except ImportError as error:
    raise MissingDependency("ray", "ray", "--engine ray") from error

from posemill.pipelines.engines.ray_actor import RayWorker
from posemill.pipelines.engines.ray_cluster import connected, describe_resources
from posemill.pipelines.engines.ray_losses import link_lost
from posemill.pipelines.engines.ray_metrics import CountedEvents
from posemill.pipelines.engines.ray_parameters import RayParameters, require_amount

_END_SECONDS = 10.0
_LOG_SECONDS = 1.5
"""After which what a worker printed has come through Ray's log files."""
_CALLS = 4  # a wait, a shard given, an end, and one to spare


class RayLink:
    """An actor, seen from the driver; satisfies `worker_link.WorkerLink`."""

    def __init__(self, actor: Any, spec: WorkerSpec) -> None:
        self._actor = actor
        self.news = _future(actor.open.remote(version("posemill"), sys.path, pickle.dumps(spec)))
        """Its next messages; there are always some outstanding."""
        self.end: Future[Any] | None = None
        self.has_failed = False
        """A shard; what the worker printed then may be on its way."""

    def assign(self, task: ShardTask) -> None:
        self._actor.give.remote(task)

    def receive(self) -> Sequence[Message]:
        try:
            answer = self.news.result()
        except ray.exceptions.RayError as error:
            self.kill()  # it may be alive and have lost only its way to here
            raise link_lost(error) from error
        if isinstance(answer, LinkLost):
            self.kill()
            raise answer
        self.news = _future(self._actor.take.remote())
        messages: Sequence[Message] = answer
        self.has_failed |= any(map(_is_failure, messages))
        return messages

    def stop(self, *, idle: bool) -> None:
        """An idle one begins to end; its host waits for it."""
        if idle:
            self.end = _future(self._actor.close.remote())
        else:
            self.kill()

    def kill(self) -> None:
        ray.kill(self._actor, no_restart=True)


class RayHost:
    """Starts actors; satisfies `worker_link.WorkerHost`."""

    def __init__(
        self, spec: WorkerSpec, stage: str, options: EngineOptions, parameters: RayParameters
    ) -> None:
        self._spec = spec
        self._name = f"posemill {stage} {token_hex(2)} worker"
        self._numbers = count()
        self._links: list[RayLink] = []
        self._resources = {"num_cpus": parameters.cpus, "num_gpus": options.gpus_per_worker}
        self._custom = dict(parameters.resources)
        self._namespace = parameters.namespace

    def start(self, slot: int) -> RayLink:  # noqa: ARG002 - Ray finds the place
        name = f"{self._name} {next(self._numbers)}"
        actor = (
            ray.remote(RayWorker)
            .options(
                name=name,
                namespace=self._namespace,
                **self._resources,
                resources=self._custom,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=_CALLS,
                scheduling_strategy="SPREAD",
            )
            .remote(name)
        )
        self._links.append(RayLink(actor, self._spec))
        return self._links[-1]

    def wait(self, links: Sequence[RayLink], seconds: float) -> Sequence[RayLink]:
        by_news = {link.news: link for link in links}
        done = wait(by_news, seconds, FIRST_COMPLETED).done
        return [by_news[news] for news in done]

    def explain(self) -> str:
        return describe_resources(self.asked)

    @property
    def asked(self) -> Mapping[str, float]:
        """Of Ray by each worker."""
        cpus, gpus = self._resources["num_cpus"], self._resources["num_gpus"]
        return {"CPU": cpus, "GPU": gpus, **self._custom}

    def close(self) -> None:
        wait([link.end for link in self._links if link.end is not None], _END_SECONDS)
        for link in self._links:
            link.kill()

    def let_words_come(self) -> None:
        """Wait for what workers printed when they failed: Ray's log files are read now and then."""
        if any(link.has_failed for link in self._links):
            sleep(_LOG_SECONDS)


def _future(answer: Any) -> Future[Any]:
    """Of a call. Waited for in Python, where a signal that comes meanwhile is not lost."""
    future: Future[Any] = answer.future()
    return future


def _is_failure(message: Message) -> bool:
    return isinstance(message, ShardResult) and message.outcome is ShardOutcome.FAILED


class RayEngine:
    """Actors of a Ray cluster; satisfies `engines.base.Engine`."""

    def __init__(self, options: EngineOptions) -> None:
        """Raises:
        InputError: a parameter that is not known or cannot be, or more GPUs than the machine of
            an embedded cluster has.
        """
        self._options = options
        self._parameters = RayParameters.parse(options.parameters)
        require_amount("gpus_per_worker", options.gpus_per_worker)
        if self._parameters.is_embedded and not ray.is_initialized():
            GpuShares.of_machine(options.gpus_per_worker, options.workers)

    def run(
        self,
        tasks: Sequence[ShardTask],
        worker: WorkerSpec,
        on_event: OnEvent,
        mailbox: Place,  # noqa: ARG002 - its actors answer calls
    ) -> RunReport:
        """As `Engine.run`.

        Raises:
            EnvironmentFault: also where there is no cluster.
        """
        if not tasks:
            return RunReport(())
        stage = tasks[0].stage
        with connected(self._parameters, self._options) as is_ours:
            host = RayHost(worker, stage, self._options, self._parameters)
            try:
                return Crew(host, self._options, CountedEvents(stage, on_event)).run(tasks)
            finally:
                if is_ours:
                    host.let_words_come()
