"""Frames by OpenCV's capture: what most tools decode with; stops at the first damaged packet."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from posemill.errors import UnreadableVideo
from posemill.schema import UInt8
from posemill.storage.video.facts import Damage
from posemill.storage.video.header import describe, open_container
from posemill.storage.video.limits import VideoLimits
from posemill.storage.video.options import FrameOptions
from posemill.storage.video.picture import scaled
from posemill.storage.video.shape import Shape
from posemill.storage.video.trust import ALLOWED_FORMATS, FileBytes

# OpenCV's FFmpeg writes a line to stderr for every damaged packet otherwise.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

_OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_OPTIONS = f"protocol_whitelist;file|format_whitelist;{','.join(ALLOWED_FORMATS)}"
_OPEN_LOCK = threading.Lock()  # the options pass through the process's environment
# It says "no more frames" for a packet that cannot be decoded, and goes on with
# the next one when asked again.
_ATTEMPTS_BEYOND_END = 16


class OpencvFrames:
    """The frames of a file, from its first one on; satisfies `reader.FrameSource`."""

    def __init__(
        self, source: FileBytes, options: FrameOptions, limits: VideoLimits, *, threads: int
    ) -> None:
        container, stream = open_container(source, limits)
        with container:
            self.header = describe(container, stream)
            _require_progressive(source.name, container, stream)
        self._options = options
        self._capture = _open_capture(source.name, options, threads)
        self.damage: Damage | None = None
        self.broken_end: Damage | None = None
        self.shape: Shape | None = None
        self._seconds = 0.0
        self._stored = (0, 0)
        self._bgr: cv2.typing.MatLike | None = None

    def grab(self) -> float | None:
        if self.shape is None:
            return self._grab_first()
        self._bgr = None
        if not self._capture.grab():
            if any(self._capture.grab() for _ in range(_ATTEMPTS_BEYOND_END)):
                self._note("a packet could not be decoded, and OpenCV stopped there")
            return None
        return self._tick()

    def retrieve(self) -> UInt8 | None:
        if self.shape is None:
            raise AssertionError("retrieve() comes after a grab() that found a frame")
        bgr, self._bgr = self._bgr, None
        if bgr is None:
            decoded, bgr = self._capture.retrieve()
            if not decoded or bgr.shape[1::-1] != self._stored:
                self._note("a frame could not be had in the size of the first one")
                return None
        small = scaled(np.asarray(bgr, np.uint8), *self.shape.handed_out)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)

    def close(self) -> None:
        self._capture.release()

    def _grab_first(self) -> float | None:
        """The first frame is decoded at once, as only that tells the size after rotation."""
        for attempt in range(_ATTEMPTS_BEYOND_END):
            decoded, bgr = self._capture.read()
            if not decoded:
                continue
            if attempt:
                self._note("the first packets could not be decoded")
            self._bgr, self._stored = bgr, (bgr.shape[1], bgr.shape[0])
            # The capture turns frames itself; stretched is what lies in the file.
            degrees = round(self._capture.get(cv2.CAP_PROP_ORIENTATION_META))
            turns = self._options.rotate and degrees % 180 == 90
            size = self._stored[::-1] if turns else self._stored
            aspect = self.header.pixel_aspect
            self.shape = Shape.of(size, 90 if turns else 0, aspect, self._options)
            return self._tick()
        return None

    def _tick(self) -> float:
        told = self.header.tells_times
        self._seconds = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0 if told else math.nan
        return self._seconds

    def _note(self, message: str) -> None:
        if self.damage is None:
            after = self._seconds if math.isfinite(self._seconds) else 0.0
            self.damage = Damage(after, message)


def _require_progressive(name: str, container: InputContainer, stream: VideoStream) -> None:
    """By the first frame: OpenCV 5 does not convert interlaced ones, and does not say so.

    Raises:
        UnreadableVideo: the picture would be memory that nobody wrote.
    """
    try:
        frame = next(container.decode(stream), None)
    except (av.error.FFmpegError, IndexError):  # the latter as in `PyavFrames`
        return
    if frame is not None and frame.interlaced_frame:
        raise UnreadableVideo(
            f"{name}: has interlaced frames, which OpenCV {cv2.__version__} cannot convert; "
            "expected progressive ones. Decode it by PyAV: --decoder pyav."
        )


def _open_capture(name: str, options: FrameOptions, threads: int) -> cv2.VideoCapture:
    with _OPEN_LOCK, _ffmpeg_options(), _quiet_opencv():
        # An absolute path can hold no protocol prefix such as `concat:`.
        path = os.path.abspath(name)  # noqa: PTH100
        capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [int(cv2.CAP_PROP_N_THREADS), threads])
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, float(options.rotate))
    return capture


@contextmanager
def _ffmpeg_options() -> Iterator[None]:
    before = os.environ.get(_OPTIONS_VARIABLE)
    os.environ[_OPTIONS_VARIABLE] = _OPTIONS
    try:
        yield
    finally:
        if before is None:
            del os.environ[_OPTIONS_VARIABLE]
        else:
            os.environ[_OPTIONS_VARIABLE] = before


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
