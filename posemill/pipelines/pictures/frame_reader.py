"""Reads chosen frames of videos by a decoder process, which may crash, hang or be killed."""

from __future__ import annotations

from types import TracebackType

import numpy as np

from posemill.errors import ContentError, EnvironmentFault
from posemill.pipelines.decode import ClipFrames, DecoderPool, Request
from posemill.pipelines.pictures.posed_video import Mismatch, NoPictures, PosedVideo, Search
from posemill.pipelines.pictures.settings import PictureSettings
from posemill.pipelines.supervise.losses import ProcessLost
from posemill.pipelines.supervise.messages import Cause, Loss
from posemill.schema import Int64, UInt8, VideoStatus
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import require_root
from posemill.storage.files.location import Location
from posemill.storage.identity import ABSENT

_TRIES = 3
"""At a video whose decoders are lost; two of them by its own fault are enough."""


class FrameReader:
    """One decoder, started anew after it was lost; a context manager, which ends it."""

    def __init__(self, root: str, settings: PictureSettings) -> None:
        """`root` is the catalog's: while it is gone, no video counts as missing."""
        self._root, self._settings = root, settings
        self._cache = FileCache.of_environment()
        self._pool = self._start()

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._pool.close()

    def read(self, video: PosedVideo, numbers: Int64) -> UInt8:
        """(N, h, w, 3) the frames `numbers` (N,) of the poses, rising, one at least.

        Raises:
            NoPictures: the video is missing or damaged, or not the one of the poses.
            EnvironmentFault: the root is gone, the network or the disk fails, or decoders
                are killed by others.
        """
        losses = list[Loss]()
        while len(losses) < _TRIES and len(_own(losses)) < _TRIES - 1:
            try:
                return self._try(video, numbers)
            except ProcessLost as error:
                losses.append(error.loss)
                self._pool.close()
                self._pool = self._start()
        raise _given_up(video, losses)

    def _start(self) -> DecoderPool:
        """Raises:
        EnvironmentFault: a decoder does not start.
        """
        pool = DecoderPool(silence_seconds=self._settings.silence_seconds)
        try:
            pool.ready()
        except BaseException:
            pool.close()
            raise
        return pool

    def _try(self, video: PosedVideo, numbers: Int64) -> UInt8:
        location = Location.parse(video.video.uri)
        search = video.search(numbers)
        request = Request(
            video.video.id,
            location,
            self._cache,
            search.start_seconds,
            video.video.end_seconds,
            search.options,
            self._settings.limits,
        )
        try:
            with self._pool.reading(), self._pool.ask(request) as clip:
                return self._pick(video, search, clip)
        except FileNotFoundError:
            require_root(self._root)
            message = f"missing video: {location}"
            raise NoPictures(VideoStatus.MISSING, message, ABSENT) from None
        except ContentError as error:
            message = f"{error.reason}: {error}"
            raise NoPictures(VideoStatus.QUARANTINED, message) from error

    def _pick(self, video: PosedVideo, search: Search, clip: ClipFrames) -> UInt8:
        clip.fetch()
        if clip.is_fetched:  # before what is wrong with another file is raised
            video.require_same(clip.identity)
        try:
            return video.pick(clip, search, lambda rgb: self._room(video, search, rgb))
        except Mismatch as error:
            message = f"frames no longer match: {video.video.uri}: {error}"
            raise NoPictures(VideoStatus.QUARANTINED, message, clip.identity) from None

    def _room(self, video: PosedVideo, search: Search, rgb: UInt8) -> UInt8:
        count = len(search.numbers)
        if count * rgb.nbytes > max(self._settings.clip_bytes, self._settings.pass_bytes):
            raise NoPictures(
                VideoStatus.QUARANTINED,
                f"too large: {video.video.uri}: {count} pictures of {rgb.shape[1]}x{rgb.shape[0]} "
                f"px are {count * rgb.nbytes / 1e9:.1f} GB, a worker holds "
                f"{self._settings.clip_bytes / 1e9:.1f} GB; have the recipe read fewer of "
                "them, or extract with --long-edge into a new store, whose pictures are smaller",
            )
        return np.empty((count, *rgb.shape), np.uint8)


def _own(losses: list[Loss]) -> list[Loss]:
    """Those that the video may be at fault of; what others kill says nothing about it."""
    return [loss for loss in losses if loss.cause is not Cause.KILLED]


def _given_up(video: PosedVideo, losses: list[Loss]) -> NoPictures | EnvironmentFault:
    if len(own := _own(losses)) < _TRIES - 1:
        return EnvironmentFault(
            f"{video.video.uri}: its decoder was lost {len(losses)} times: "
            f"{losses[-1].message}; run the same command again when nobody kills processes"
        )
    message = f"{own[-1].cause}: {video.video.uri}: {own[-1].message}"
    return NoPictures(VideoStatus.QUARANTINED, message)
