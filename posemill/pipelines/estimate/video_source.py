"""Asks for videos as they can be decoded ahead."""

from __future__ import annotations

from collections.abc import Iterator

from posemill.pipelines.decode import DecoderPool
from posemill.pipelines.estimate.video_read import VideoRead


class VideoSource:
    """Over videos that come as the items of `supervise.messages.Job.work` do.

    None among them says that there is none now; none is then asked for until one
    that was given is finished.
    """

    def __init__(self, videos: Iterator[VideoRead | None], pool: DecoderPool) -> None:
        self._videos, self._pool = videos, pool
        self._unfinished: list[VideoRead] = []
        self._is_dry = False
        self.has_ended = False

    def more(self) -> list[VideoRead]:
        """Those that are wanted now; waits for one where all before are finished."""
        if any(read.is_finished for read in self._unfinished):
            self._unfinished = [read for read in self._unfinished if not read.is_finished]
            self._is_dry = False
        given: list[VideoRead] = []
        while self._pool.wants_another and not (self._is_dry or self.has_ended):
            given += self._next()
        self._unfinished += given
        return given

    def _next(self) -> list[VideoRead]:
        try:
            read = next(self._videos)
        except StopIteration:
            self.has_ended = True
            return []
        self._is_dry = read is None
        return [] if read is None else [read]
