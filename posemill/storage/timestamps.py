"""Strictly rising times from a container's timestamps, which do not always rise."""

from __future__ import annotations

import math

_DEFAULT_FPS = 25.0


class RisingClock:
    """Takes the container's times while they rise, then counts on by the frame rate.

    Some containers (AVI with B-frames) give times that start late, jump back or
    are all 0. From the first that does not rise on, every frame is 1 / fps
    after the one before it, for the rest of the video.
    """

    def __init__(self, fps: float | None) -> None:
        """`fps` None: the container does not know its rate, and 25 is taken."""
        self.last_seconds = -math.inf
        self._fps = fps or _DEFAULT_FPS
        self._trusted = True
        self._counted_from = 0.0
        self._counted = 0

    @property
    def is_container(self) -> bool:
        """Whether all times so far are the container's."""
        return self._trusted

    def tick(self, container_seconds: float) -> float:
        """The time of the next frame, given what the container says."""
        rises = math.isfinite(container_seconds) and container_seconds > self.last_seconds
        if self._trusted and not rises:
            self._trusted = False
            self._counted_from = max(self.last_seconds + 1.0 / self._fps, 0.0)
        if self._trusted:
            self.last_seconds = container_seconds
        else:  # not by sums, whose errors grow
            self.last_seconds = self._counted_from + self._counted / self._fps
            self._counted += 1
        return self.last_seconds
