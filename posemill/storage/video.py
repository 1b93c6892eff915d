"""Frames of a video file with their times, guarded against what files hold.

Decoding is OpenCV's FFmpeg backend. Only local files and a short list of
container formats are opened: FFmpeg would otherwise take a text file named
`.mp4` for a playlist, or `img_%03d.png` for a sequence, and read other files.

FFmpeg reports every damaged packet on stderr. Importing this module sets
`OPENCV_FFMPEG_LOGLEVEL=-8` (quiet) for the process, unless the variable is
already set; what matters of a damaged file is in `VideoReader.status()`.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from posemill.errors import EnvironmentFault, UnreadableVideo
from posemill.schema import UInt8, VideoStatus
from posemill.storage.timestamps import RisingClock

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

ALLOWED_FORMATS = ("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "asf", "ogg")
"""FFmpeg's demuxers that may open a video; `mov` is MP4's too, `matroska` WebM's."""

_OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_OPTIONS = f"protocol_whitelist;file|format_whitelist;{','.join(ALLOWED_FORMATS)}"
_OPEN_LOCK = threading.Lock()  # the options pass through the process's environment

# A header's count is often an estimate (duration times a mean rate): this much
# less is not yet a sign of damage.
_TOLERANCE = 0.02
_TOLERANCE_FRAMES = 2.0
# OpenCV says "no more frames" for a packet that cannot be decoded, and goes on
# with the next one when asked again.
_ATTEMPTS_BEYOND_END = 16
_MAX_FPS = 1000.0
_WHITESPACE = dict.fromkeys(map(ord, "\t\n\r"), " ")


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame."""

    index: int
    """From 0, counted from the first frame of the span."""
    pts_seconds: float
    """Time in the file (not in the span); rises strictly."""
    rgb: UInt8  # (H, W, 3)


def open_video(
    path: str | os.PathLike[str],
    *,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
    threads: int = 1,
) -> VideoReader:
    """A reader of the frames with `start_seconds <= pts_seconds < end_seconds`.

    Frames before the span are decoded and dropped: seeking is not exact in
    every container. `threads` is the decoder's.

    Raises:
        FileNotFoundError: there is no such file.
        EnvironmentFault: the file is there and cannot be read.
        UnreadableVideo: not one frame can be decoded; while iterating: none of the span.
    """
    return VideoReader(
        Path(path), start_seconds=start_seconds, end_seconds=end_seconds, threads=threads
    )


class VideoReader:
    """Streams a video's frames once; a context manager and an iterator of `Frame`."""

    def __init__(
        self, path: Path, *, start_seconds: float, end_seconds: float | None, threads: int
    ) -> None:
        self.path = path
        self.frames_decoded = 0
        """Frames handed out so far."""
        self._start = start_seconds
        self._end = math.inf if end_seconds is None else end_seconds
        self._head = _read_head(path)
        self._capture = _open_capture(path, threads)
        self._stopped_midway = False
        self._reached_end = False
        self._frames_seen = 0
        self._first: UInt8 | None = self._read_first()
        self.height, self.width = self._first.shape[:2]
        self.frames_declared = max(0, _whole(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        """What the header claims for the whole file, 0 where it claims nothing; often wrong."""
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= _MAX_FPS else None
        self._clock = RisingClock(self.fps)
        self._frames = self._decode()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        """Release the decoder; further frames are not to be had."""
        self._frames.close()
        self._capture.release()

    def status(self) -> VideoStatus:
        """OK, or DAMAGED where the decoder gave up before the end; known after the last frame.

        DAMAGED: a packet in the middle could not be decoded, the frame size
        changed, or both clearly fewer frames and clearly less time were decoded
        than declared. One of the two alone is a header's usual error: a count
        estimated from a wrong rate, or a rate that varies.
        """
        if self._stopped_midway or (self._reached_end and self._ends_early()):
            return VideoStatus.DAMAGED
        return VideoStatus.OK

    def _ends_early(self) -> bool:
        if self.frames_declared == 0:
            return False
        fewer = _clearly_less(self._frames_seen, self.frames_declared, _TOLERANCE_FRAMES)
        if self.fps is None:
            return fewer
        declared_seconds = min(self.frames_declared / self.fps, self._end)
        covered_seconds = self._clock.last_seconds + 1.0 / self.fps
        return fewer and _clearly_less(
            covered_seconds, declared_seconds, _TOLERANCE_FRAMES / self.fps
        )

    def _read_first(self) -> UInt8:
        if self._capture.isOpened():
            for _ in range(_ATTEMPTS_BEYOND_END):
                decoded, bgr = self._capture.read()
                if decoded:
                    return _to_rgb(bgr)
                self._stopped_midway = True
        self._capture.release()
        raise _unreadable(self.path, _describe(self._head))

    def _decode(self) -> Generator[Frame, None, None]:
        yield from self._decode_span()
        if self.frames_decoded == 0:
            raise UnreadableVideo(
                f"{self.path}: no readable frame lies in the span [{self._start}, {self._end}) s; "
                f"the file was decoded up to {self._clock.last_seconds:.3f} s. "
                "Correct the span in the catalog, or replace the file."
            )

    def _decode_span(self) -> Generator[Frame, None, None]:
        more = True
        while more:
            pts_seconds = self._clock.tick(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0)
            self._frames_seen += 1
            if pts_seconds >= self._end:
                return
            if self._start <= 0 or pts_seconds >= self._start:
                rgb = self._retrieve()
                if rgb is None:
                    self._stopped_midway = True
                    return
                self.frames_decoded += 1
                yield Frame(self.frames_decoded - 1, pts_seconds, rgb)
            more = self._capture.grab()
        self._reached_end = True
        self._stopped_midway |= any(self._capture.grab() for _ in range(_ATTEMPTS_BEYOND_END))

    def _retrieve(self) -> UInt8 | None:
        """The grabbed frame; None where it cannot be had in the video's size."""
        if self._frames_seen == 1:
            rgb, self._first = self._first, None
        else:
            decoded, bgr = self._capture.retrieve()
            rgb = _to_rgb(bgr) if decoded else None
        if rgb is None or rgb.shape != (self.height, self.width, 3):
            return None
        return rgb


def _open_capture(path: Path, threads: int) -> cv2.VideoCapture:
    with _OPEN_LOCK, _ffmpeg_options(), _quiet_opencv():
        # An absolute path can hold no protocol prefix such as `concat:`.
        name = os.path.abspath(path)  # noqa: PTH100
        return cv2.VideoCapture(name, cv2.CAP_FFMPEG, _parameters(threads))


def _parameters(threads: int) -> Sequence[int]:
    return [int(cv2.CAP_PROP_N_THREADS), threads]


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


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512)
    except FileNotFoundError:
        raise
    except IsADirectoryError as error:
        raise _unreadable(path, "a folder") from error
    except OSError as error:
        raise EnvironmentFault(
            f"{path}: cannot be read ({error.strerror}); expected a readable file. "
            "Check its permissions and the disk, then run again."
        ) from error


def _unreadable(path: Path, got: str) -> UnreadableVideo:
    return UnreadableVideo(
        f"{path}: not one frame can be decoded. Got {got}; expected an MP4, MOV, MKV, WebM, AVI, "
        "MPEG, FLV, ASF or OGG file with a video stream. "
        "Replace the file, or leave it out of the catalog."
    )


def _describe(head: bytes) -> str:
    if not head:
        return "an empty file (0 bytes)"
    if head.startswith(b"ffconcat"):
        return "an ffconcat playlist, which names other files"
    if head.decode("utf-8", "replace").translate(_WHITESPACE).isprintable():
        return "a text file"
    return "a file in which FFmpeg finds no decodable video stream of an allowed format"


def _to_rgb(bgr: cv2.typing.MatLike) -> UInt8:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _whole(value: float) -> int:
    return int(value) if math.isfinite(value) else 0


def _clearly_less(got: float, declared: float, slack: float) -> bool:
    return got < declared - max(slack, _TOLERANCE * declared)
