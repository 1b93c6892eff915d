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
from posemill.pipelines.engines.worker_link import LinkLost, Message, NotReady, Ready
from posemill.pipelines.tasks import ShardResult, ShardTask, WorkerSpec

_LAST_WORDS = (Ready, NotReady, LinkLost, ShardResult)
"""Of one thread: of the one that opened the worker, or of one that was at a shard."""


class ThreadLink:
    """A worker in threads, seen from the driver; satisfies `worker_link.WorkerLink`."""

    def __init__(self, spec: WorkerSpec, news: Condition) -> None:
        """`news` guards what the worker's threads and the driver share; all links have the same."""
        self._news = news
        self._messages: list[Message] = []
        self._loss: LinkLost | None = None
        self._is_stopped = False
        self._num_busy = 1
        """Threads that have not said their last words yet."""
        self._body = WorkerBody(spec, self._hear)
        Thread(target=self._open, daemon=True).start()

    @property
    def has_news(self) -> bool:
        """Whether `receive` has something to tell; ask while holding `news`."""
        return bool(self._messages) or self._loss is not None

    def assign(self, task: ShardTask) -> None:
        with self._news:
            self._num_busy += 1
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
            is_over = not self._num_busy
        if is_over:
            self._body.close()

    def _open(self) -> None:
        try:
            self._body.open()
        except Exception as error:  # noqa: BLE001 - a process would have died of it
            traceback.print_exc()
            self._hear(
                LinkLost(f"a worker failed with {type(error).__name__}: {error}", gave_up=True)
            )

    def _hear(self, message: Message | LinkLost) -> None:
        with self._news:
            self._num_busy -= isinstance(message, _LAST_WORDS)
            if isinstance(message, LinkLost):
                self._loss = message
            elif not self._is_stopped:
                self._messages.append(message)
            self._news.notify()
            is_over = self._is_stopped and not self._num_busy
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
