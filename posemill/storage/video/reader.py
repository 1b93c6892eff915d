"""Frames of a video file with their times, guarded against what files hold."""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Protocol

from posemill.errors import InputError, UnreadableVideo
from posemill.schema import UInt8
from posemill.storage.timestamps import RisingClock
from posemill.storage.video.facts import (
    Completeness,
    Damage,
    Frame,
    Header,
    PtsSource,
    VideoFacts,
)
from posemill.storage.video.limits import VideoLimits
from posemill.storage.video.opencv_frames import OpencvFrames
from posemill.storage.video.options import AUTO, OPENCV, FrameOptions, choose_decoder
from posemill.storage.video.pyav_frames import PyavFrames
from posemill.storage.video.sampling import FramePicker
from posemill.storage.video.shape import Shape
from posemill.storage.video.trust import FileBytes, unreadable

# A header's count is often an estimate (duration times a mean rate): this much
# less is not yet a sign of damage.
_TOLERANCE = 0.02
_TOLERANCE_FRAMES = 2.0
_DEFAULT_LIMITS = VideoLimits()


class FrameSource(Protocol):
    """A decoder at work on one file."""

    header: Header
    damage: Damage | None
    """What could not be decoded so far, the first of it, with frames behind it."""
    broken_end: Damage | None
    """What could not be decoded, with no frame behind it so far."""
    shape: Shape | None
    """Of the frames; known from the first `grab` on."""

    def grab(self) -> float | None:
        """Decode the next frame: its time by the container (NaN: it tells none), None at the end.

        Raises:
            EnvironmentFault: the file cannot be read on.
        """

    def retrieve(self) -> UInt8 | None:
        """The grabbed frame (H, W, 3); None where it cannot be had in the video's size."""

    def close(self) -> None: ...


def open_video(
    path: str | os.PathLike[str],
    *,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
    long_edge: int | None = None,
    frame_step: int = 1,
    fps: float | None = None,
    decoder: str = AUTO,
    rotate: bool = True,
    square_pixels: bool = False,
    limits: VideoLimits = _DEFAULT_LIMITS,
    threads: int = 1,
) -> VideoReader:
    """A reader of the frames with `start_seconds <= pts_seconds < end_seconds`.

    See `FrameOptions` for the options. A span is found by seeking where the
    container allows it, and is the same as when all is decoded from the start,
    unless the container's times stop rising before it.
    Holds one frame, and what the codec needs. `threads` is the decoder's.

    Raises:
        FileNotFoundError: there is no such file.
        EnvironmentFault: the file is there and cannot be read.
        UnreadableVideo: not one frame can be decoded, or the file is larger or longer
            than the limits; while iterating: no frame lies in the span.
        InputError: an option out of its range, or a span without length.
    """
    options = FrameOptions(long_edge, frame_step, fps, decoder, rotate, square_pixels)
    end = math.inf if end_seconds is None else end_seconds
    if not (math.isfinite(start_seconds) and start_seconds < end):
        raise InputError(f"a span starts at a time and ends later, got [{start_seconds}, {end}) s")
    return VideoReader(Path(path), (start_seconds, end), options, limits, threads)


class VideoReader:
    """Streams a video's frames once; a context manager and an iterator of `Frame`."""

    def __init__(
        self,
        path: Path,
        span_seconds: tuple[float, float],
        options: FrameOptions,
        limits: VideoLimits,
        threads: int,
    ) -> None:
        self.path = path
        self.frames_decoded = 0
        """Frames handed out so far."""
        self._start, self._end = span_seconds
        self._limits = limits
        self._decoder = choose_decoder(options.decoder)
        self._picker = FramePicker(options.frame_step, options.fps)
        with ExitStack() as opened:
            file = opened.enter_context(closing(FileBytes(path, limits)))
            self._source = opened.enter_context(closing(self._open(file, options, threads)))
            self._next_seconds = self._source.grab()
            self.width, self.height = self._shape().shown
            """Of a frame as it is shown, before it is scaled down."""
            limits.require_size(str(path), self.width, self.height)
            self._opened = opened.pop_all()
        self._clock = RisingClock(self._source.header.fps)
        self._reached_end = False
        self._frames_seen = 0
        self._first_seconds = 0.0
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

    @property
    def frames_declared(self) -> int:
        """What the header claims for the whole file, 0 where it claims nothing; often wrong."""
        return self._source.header.frames_declared

    def close(self) -> None:
        """Release the decoder; further frames are not to be had."""
        self._frames.close()
        self._opened.close()

    def facts(self) -> VideoFacts:
        """What is known of the video so far; final after the last frame."""
        completeness, message = self._completeness()
        return VideoFacts(
            header=self._source.header,
            decoder=self._decoder,
            width=self.width,
            height=self.height,
            frame_size=self._shape().handed_out,
            frames_decoded=self.frames_decoded,
            frames_read=self._frames_seen,
            pts_source=PtsSource.CONTAINER if self._clock.is_container else PtsSource.FRAME_RATE,
            completeness=completeness,
            message=message,
        )

    def _open(self, file: FileBytes, options: FrameOptions, threads: int) -> FrameSource:
        if self._decoder == OPENCV:
            return OpencvFrames(file, options, self._limits, threads=threads)
        return PyavFrames(file, options, self._limits, start_seconds=self._start, threads=threads)

    def _shape(self) -> Shape:
        """Raises:
        UnreadableVideo: there is no first frame.
        """
        if self._source.shape is None:
            header, damage = self._source.header, self._source.broken_end
            got = f"a {header.container} file of {header.codec} video with no frame that decodes"
            raise unreadable(str(self.path), got if damage is None else f"{got} ({damage.message})")
        return self._source.shape

    def _completeness(self) -> tuple[Completeness, str]:
        if self._source.damage is not None:
            return Completeness.DAMAGED, str(self._source.damage)
        if self._reached_end and self._source.broken_end is not None:
            return Completeness.TRUNCATED, str(self._source.broken_end)
        if self._reached_end and self._ends_early():
            declared = self._source.header.frames_declared
            covered = self._covered_seconds()
            return Completeness.TRUNCATED, f"ends at {covered:.2f} s; declares {declared} frames"
        return Completeness.COMPLETE, ""

    def _ends_early(self) -> bool:
        """Whether there were clearly fewer frames and clearly less time than declared.

        One of the two alone is a header's usual error: a count estimated from a
        wrong rate, or a rate that varies.
        """
        declared, fps = self._source.header.frames_declared, self._source.header.fps
        if declared == 0:
            return False
        skipped = self._first_seconds * fps if fps is not None else 0.0
        fewer = _clearly_less(self._frames_seen + skipped, declared, _TOLERANCE_FRAMES)
        if fps is None:
            return fewer
        declared_seconds = min(declared / fps, self._end)
        slack = _TOLERANCE_FRAMES / fps
        return fewer and _clearly_less(self._covered_seconds(), declared_seconds, slack)

    def _covered_seconds(self) -> float:
        return self._clock.last_seconds + 1.0 / (self._source.header.fps or math.inf)

    def _decode(self) -> Generator[Frame, None, None]:
        yield from self._decode_span()
        if self.frames_decoded == 0:
            damage = self._source.damage or self._source.broken_end
            raise UnreadableVideo(
                f"{self.path}: no readable frame lies in the span [{self._start}, {self._end}) s; "
                f"the file was decoded up to {self._clock.last_seconds:.3f} s"
                f"{'' if damage is None else f', damaged {damage}'}. "
                "Correct the span in the catalog, or replace the file."
            )

    def _decode_span(self) -> Generator[Frame, None, None]:
        while self._next_seconds is not None:
            pts_seconds = self._clock.tick(self._next_seconds)
            if self._frames_seen == 0:
                self._first_seconds = pts_seconds
            self._frames_seen += 1
            self._limits.require_seconds(str(self.path), pts_seconds)
            if pts_seconds >= self._end:
                return
            # A first frame before zero belongs to a span that starts with the file.
            if (self._start <= 0 or pts_seconds >= self._start) and self._picker.takes(pts_seconds):
                rgb = self._source.retrieve()
                if rgb is None:
                    return
                self.frames_decoded += 1
                yield Frame(self.frames_decoded - 1, pts_seconds, rgb)
            self._next_seconds = self._source.grab()
        self._reached_end = True


def _clearly_less(got: float, declared: float, slack: float) -> bool:
    return got < declared - max(slack, _TOLERANCE * declared)
