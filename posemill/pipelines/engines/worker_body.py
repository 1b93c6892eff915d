"""The body of a worker, whatever process it is in: takes shards, tells what becomes of them."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from threading import Lock, Thread

from posemill.errors import EnvironmentFault, PosemillError
from posemill.pipelines.engines.worker_link import Message, NotReady, Ready
from posemill.pipelines.tasks import (
    ShardOutcome,
    ShardResult,
    ShardTask,
    ShardWorker,
    WorkerSpec,
)


class WorkerBody:
    """Has each shard done in a thread of its own; `send` is called by one thread at a time."""

    def __init__(self, spec: WorkerSpec, send: Callable[[Message], None]) -> None:
        self._spec, self._send_one, self._lock = spec, send, Lock()
        self._worker: ShardWorker | None = None

    def open(self) -> bool:
        """Build the worker and have it prove its environment; tells whether it is ready."""
        try:
            self._worker = self._spec.build()
            self._worker.ready()
        except (PosemillError, OSError, ImportError) as error:
            self._send(NotReady(_describe(error)))
            return False
        self._send(Ready())
        return True

    def begin(self, task: ShardTask) -> None:
        """Return at once."""
        Thread(target=self._attempt, args=(task,), daemon=True).start()

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()

    def _send(self, message: Message) -> None:
        with self._lock:
            self._send_one(message)

    def _attempt(self, task: ShardTask) -> None:
        assert self._worker is not None  # noqa: S101 - work comes after Ready
        try:
            result = self._worker.run(task, self._send)
        except Exception as error:  # noqa: BLE001 - any failure ends the attempt, uncommitted
            if not isinstance(error, PosemillError):
                traceback.print_exc()
            result = ShardResult(
                task.shard_id,
                ShardOutcome.FAILED,
                message=_describe(error),
                environment=isinstance(error, (EnvironmentFault, OSError)),
            )
        self._send(result)


def _describe(error: Exception) -> str:
    return str(error) if isinstance(error, PosemillError) else f"{type(error).__name__}: {error}"
