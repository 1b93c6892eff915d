"""Worker processes on this machine, for a crew: their body, and the driver's hold on them.

Workers are spawned, never forked: torch and OpenCV hold threads that a fork
would lose. A worker watches its parent and ends with it, whatever the signal,
so a killed driver leaves no orphans.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from posemill.pipelines.engines.gpus import GpuShares
from posemill.pipelines.engines.worker_body import WorkerBody
from posemill.pipelines.engines.worker_link import LinkLost, Message
from posemill.pipelines.tasks import ShardTask, WorkerSpec
from posemill.pipelines.watchdog import end_with_parent

_END_SECONDS = 10.0


class ProcessLink:
    """A worker process, seen from the driver; satisfies `worker_link.WorkerLink`."""

    def __init__(self, spec: WorkerSpec, gpus: str | None) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._handle: BaseProcess = context.Process(
            target=_work, args=(theirs, spec, gpus), daemon=True
        )
        with _interrupts_held():
            self._handle.start()
        theirs.close()  # else the worker's death would never close the pipe

    def assign(self, task: ShardTask) -> None:
        with contextlib.suppress(OSError):  # it died: the next receive sees that
            self.connection.send(task)

    def receive(self) -> Sequence[Message]:
        try:
            return [self.connection.recv()]
        except (EOFError, OSError):  # also a message cut short by its sender's death
            self._handle.join()
            self.connection.close()
        code = self._handle.exitcode
        gave_up = code is not None and code >= 0
        raise LinkLost(f"a worker process died (exit code {code})", gave_up=gave_up)

    def stop(self, *, idle: bool) -> None:
        """By closing its pipe when it is idle, by a signal when it is not."""
        self.connection.close()
        if not idle:
            self._handle.terminate()
        self._handle.join(_END_SECONDS)
        if self._handle.is_alive():
            self._handle.kill()
            self._handle.join()


class ProcessHost:
    """Starts worker processes; satisfies `worker_link.WorkerHost`."""

    def __init__(self, spec: WorkerSpec, gpus: GpuShares) -> None:
        self._spec, self._gpus = spec, gpus
        self._awaited, self._waker = multiprocessing.Pipe(duplex=False)

    def start(self, slot: int) -> ProcessLink:
        return ProcessLink(self._spec, self._gpus.of(slot))

    def wait(self, links: Sequence[ProcessLink], seconds: float) -> Sequence[ProcessLink]:
        """Also returns when another thread called `wake`."""
        by_connection = {link.connection: link for link in links}
        found = wait([*by_connection, self._awaited], timeout=seconds)
        if self._awaited in found:
            self._awaited.recv_bytes()
        return [by_connection[each] for each in found if each is not self._awaited]  # type: ignore[index]

    def wake(self) -> None:
        self._waker.send_bytes(b"\0")

    def explain(self) -> str:
        return ""

    def close(self) -> None:
        self._awaited.close()
        self._waker.close()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process started here never hears of Ctrl-C, which a terminal sends to all.

    The driver does, and ends the others; by themselves they would each print
    where they happened to be.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection, spec: WorkerSpec, gpus: str | None) -> None:
    """The body of a worker process."""
    end_with_parent()
    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus

    def send(message: Message) -> None:
        with contextlib.suppress(BrokenPipeError):  # the driver is gone, and this process with it
            connection.send(message)

    body = WorkerBody(spec, send)
    with contextlib.closing(body), contextlib.suppress(EOFError, OSError):
        if body.open():
            while True:
                body.begin(connection.recv())
