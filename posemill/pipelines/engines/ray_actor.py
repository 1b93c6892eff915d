"""A worker of a Ray cluster: an actor that holds a worker process on its node.

The process is one of its own, as the local engine's are: what ends it, a crash of
native code or a call of `exit`, is known by its exit code, and all that it said
before reaches the driver. The actor ends with its job or its node, and the process
with the actor.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Sequence
from importlib.metadata import version
from threading import Lock
from time import monotonic

from posemill.pipelines.engines.gpus import GpuShares
from posemill.pipelines.engines.worker_link import LinkLost, Message, NotReady
from posemill.pipelines.engines.worker_process import ProcessHost, ProcessLink
from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.tasks import ShardTask, WorkerSpec

_PATIENCE_SECONDS = 5.0
"""How long a driver waits at most for an answer, which may be empty."""
_LINGER_SECONDS = 0.1
"""How long news that nobody acts on may wait for others."""


class RayWorker:
    """The actor; its calls run in threads, so that one waits while another gives."""

    def __init__(self, name: str) -> None:
        """`name` is what Ray's dashboard and the lines that it prints say."""
        self._name = name
        self._host: ProcessHost | None = None
        self._link: ProcessLink | None = None
        self._loss: LinkLost | None = None
        self._taking = Lock()
        self._is_ending = False
        # A spawned process runs the file of its parent's main module, which here is Ray's.
        vars(sys.modules["__main__"]).pop("__file__", None)

    def __repr__(self) -> str:
        return self._name

    def open(self, theirs: str, search_path: Sequence[str], spec: bytes) -> list[Message]:
        """Start the process of a pickled `WorkerSpec`, if the driver's posemill is this one.

        What is not installed on the node may be where the driver has it.
        """
        ours = version("posemill")
        if ours != theirs:
            return [
                NotReady(
                    f"the node {os.uname().nodename} has posemill {ours}, and the driver has "
                    f"{theirs}; install the same on every node"
                )
            ]
        sys.path.extend(folder for folder in search_path if folder not in sys.path)
        worker: WorkerSpec = pickle.loads(spec)  # noqa: S301 - from the driver, as all that Ray runs
        self._host = ProcessHost(worker, GpuShares.unassigned())  # Ray assigned them
        self._link = self._host.start(0)
        return []

    def give(self, task: ShardTask) -> None:
        """Have the process begin a shard."""
        if self._link is not None:
            self._link.assign(task)

    def take(self) -> list[Message] | LinkLost:
        """What the process said since; waits for that. The last thing is its loss, alone."""
        said: list[Message] = []
        until = monotonic() + _PATIENCE_SECONDS
        with self._taking:
            while self._heard(until - monotonic(), said):
                if not all(isinstance(message, ItemStarted | ItemDone) for message in said):
                    break
                until = min(until, monotonic() + _LINGER_SECONDS)
        return said or self._loss or []

    def close(self) -> None:
        """End the process gently."""
        self._is_ending = True
        if self._host is not None and self._link is not None:
            self._host.wake()
            with self._taking:  # while someone waits at the pipe its closing is not seen
                self._link.stop(idle=True)

    def _heard(self, seconds: float, said: list[Message]) -> bool:
        """Whether the process said something more, which is added."""
        if self._host is None or self._link is None or self._loss or self._is_ending:
            return False
        if seconds <= 0 or not self._host.wait([self._link], seconds):
            return False
        try:
            said.extend(self._link.receive())
        except LinkLost as loss:
            self._loss = loss
            return False
        return True
