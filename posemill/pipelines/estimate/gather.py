"""Puts frames together that can share a batch, whichever video they are of."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Tagged = TypeVar("Tagged")

_PATIENCE = 4
"""Batches' worth of frames that may come until one that waits for its like is due without."""


class Gather(Generic[Tagged]):
    """Frames that wait for a batch, by bucket, oldest first."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, deque[tuple[int, Tagged]]] = {}
        self._num_put = 0

    def __bool__(self) -> bool:
        return bool(self._buckets)

    def put(self, bucket: Hashable, frame: Tagged) -> None:
        self._buckets.setdefault(bucket, deque()).append((self._num_put, frame))
        self._num_put += 1

    def is_due(self, size: int) -> bool:
        """Whether a bucket has a batch of `size`, or has waited long enough for one: the last
        frames of a video must not wait for another one of its size."""
        return self._next(size) is not None

    def take(self, size: int) -> list[Tagged]:
        """At most `size` frames of the bucket that is due, or else has the most of them."""
        bucket = self._next(size)
        if bucket is None:
            bucket = max(self._buckets, key=lambda name: len(self._buckets[name]))
        waiting = self._buckets[bucket]
        taken = [waiting.popleft()[1] for _ in range(min(size, len(waiting)))]
        if not waiting:
            del self._buckets[bucket]
        return taken

    def _next(self, size: int) -> Hashable | None:
        """The bucket whose oldest frame has waited too long, or else one that is full."""
        if not self._buckets:
            return None
        oldest = min(self._buckets, key=lambda name: self._buckets[name][0][0])
        if self._num_put - self._buckets[oldest][0][0] >= _PATIENCE * size:
            return oldest
        full = (name for name, waiting in self._buckets.items() if len(waiting) >= size)
        return next(full, None)
