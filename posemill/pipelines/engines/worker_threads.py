"""Workers in threads of the driver's own process, for a crew; for work that is waiting.

A thread cannot be killed. A worker that is dismissed amid a shard goes on until what it waits
for comes or fails. Nobody hears it any more, what it commits late loses like anybody's, and it
is closed after its last shard. Its threads are daemons, so none of them keeps a process alive.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from threading import Condition, Thread

from posemill.pipelines.engines.worker_body import WorkerBody
from posemill.pipelines.engines.worker_link import LinkLost, Message
from posemill.pipelines.tasks import ShardResult, ShardTask, WorkerSpec


class ThreadLink:
    """A worker in threads, seen from the driver; satisfies `worker_link.WorkerLink`."""

    def __init__(self, spec: WorkerSpec, news: Condition) -> None:
        """`news` guards what the worker's threads and the driver share; all links have the same."""
        self._news = news
        self._messages: list[Message] = []
        self._loss: LinkLost | None = None
        self._is_stopped = False
        self._num_threads = 1
        self._body = WorkerBody(spec, self._hear)
        Thread(target=self._open, daemon=True).start()

    @property
    def has_news(self) -> bool:
        """Whether `receive` has something to tell; ask while holding `news`."""
        return bool(self._messages) or self._loss is not None

    def assign(self, task: ShardTask) -> None:
        with self._news:
            self._num_threads += 1
        self._body.begin(task)

    def receive(self) -> Sequence[Message]:
        with self._news:
            messages, self._messages = self._messages, []
        if self._loss is not None and not messages:
            raise self._loss
        return messages

    def stop(self, *, idle: bool) -> None:  # noqa: ARG002 - there is no other end than a gentle one
        with self._news:
            self._is_stopped = True
            is_over = not self._num_threads
        if is_over:
            self._body.close()

    def _open(self) -> None:
        try:
            self._body.open()
        except Exception as error:  # noqa: BLE001 - a process would have died of it
            traceback.print_exc()
            with self._news:
                cause = f"a worker failed with {type(error).__name__}: {error}"
                self._loss = LinkLost(cause, gave_up=True)
                self._news.notify()
        self._end_thread()

    def _hear(self, message: Message) -> None:
        with self._news:
            if not self._is_stopped:
                self._messages.append(message)
                self._news.notify()
        if isinstance(message, ShardResult):
            self._end_thread()

    def _end_thread(self) -> None:
        with self._news:
            self._num_threads -= 1
            is_over = self._is_stopped and not self._num_threads
        if is_over:
            self._body.close()


class ThreadHost:
    """Starts workers in threads; satisfies `worker_link.WorkerHost`."""

    def __init__(self, spec: WorkerSpec) -> None:
        self._spec, self._news = spec, Condition()

    def start(self, slot: int) -> ThreadLink:  # noqa: ARG002 - all places are the same
        return ThreadLink(self._spec, self._news)

    def wait(self, links: Sequence[ThreadLink], seconds: float) -> Sequence[ThreadLink]:
        with self._news:
            self._news.wait_for(lambda: any(link.has_news for link in links), seconds)
            return [link for link in links if link.has_news]

    def explain(self) -> str:
        return ""

    def close(self) -> None:
        """It holds nothing."""
