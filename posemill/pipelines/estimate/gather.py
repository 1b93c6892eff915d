"""Puts frames together that can share a batch, whichever clip they are of."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Tagged = TypeVar("Tagged")


class Gather(Generic[Tagged]):
    """Frames that wait for a batch, by bucket, oldest first."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, deque[Tagged]] = {}

    def __bool__(self) -> bool:
        return bool(self._buckets)

    def put(self, bucket: Hashable, frame: Tagged) -> int:
        """Add a frame; how many its bucket has now."""
        waiting = self._buckets.setdefault(bucket, deque())
        waiting.append(frame)
        return len(waiting)

    def full(self, size: int) -> bool:
        """Whether a bucket has a batch of `size`."""
        return any(len(waiting) >= size for waiting in self._buckets.values())

    def take(self, size: int) -> list[Tagged]:
        """At most `size` frames of the bucket that has the most of them."""
        bucket = max(self._buckets, key=lambda name: len(self._buckets[name]))
        waiting = self._buckets[bucket]
        taken = [waiting.popleft() for _ in range(min(size, len(waiting)))]
        if not waiting:
            del self._buckets[bucket]
        return taken
