"""Frames by PyAV: reads on after what cannot be decoded, and tells where that was."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from fractions import Fraction

import av
from av.packet import Packet
from av.video.stream import VideoStream

from posemill.schema import UInt8
from posemill.storage.video.facts import Damage
from posemill.storage.video.header import describe, open_container
from posemill.storage.video.limits import VideoLimits
from posemill.storage.video.options import FrameOptions
from posemill.storage.video.picture import RgbConverter, turned
from posemill.storage.video.shape import Shape
from posemill.storage.video.trust import FileBytes

# A demuxer that fails may find the next packet when asked again, or fail for ever.
_MAX_FAILURES = 64
_MAX_STRAYS = 4096  # in a row: other streams' packets, or an end that never comes
# The others' times may not lead to the packet that is meant, or they have no index.
_SEEKABLE = ("mov", "matroska")


class PyavFrames:
    """The frames of a file; satisfies `reader.FrameSource`."""

    def __init__(
        self,
        source: FileBytes,
        options: FrameOptions,
        limits: VideoLimits,
        *,
        start_seconds: float,
        threads: int,
    ) -> None:
        self._source, self._options = source, options
        self._container, self._stream = open_container(source, limits)
        self._stream.codec_context.thread_count = threads
        self._stream.codec_context.thread_type = "AUTO"
        self.header = describe(self._container, self._stream)
        # Once, not for every frame: a small frame takes little longer than this does.
        self._start = self._stream.start_time or 0
        tick = self._stream.time_base or Fraction(1, av.time_base)
        self._tick_numerator, self._tick_denominator = tick.numerator, tick.denominator
        self.damage: Damage | None = None
        self.broken_end: Damage | None = None
        self.shape: Shape | None = None
        self._seconds = 0.0
        self._frame: av.VideoFrame | None = None
        self._frames = self._from(start_seconds)

    def grab(self) -> float | None:
        frame = next(self._frames, None)
        self._source.raise_fault()
        if frame is None:
            return None
        size = frame.width, frame.height
        if self.shape is None:
            self._stored = size
            aspect = self.header.pixel_aspect
            self.shape = Shape.of(size, frame.rotation, aspect, self._options)
            self._convert = RgbConverter(*self.shape.before_turning)
        elif size != self._stored:
            self._note(f"the size of the frames changed from {self._stored} to {size}")
            self._confirm()
            return None
        self._frame, self._seconds = frame, self._time(frame)
        return self._seconds

    def retrieve(self) -> UInt8 | None:
        if self._frame is None or self.shape is None:
            raise AssertionError("retrieve() comes after a grab() that found a frame")
        return turned(self._convert(self._frame), self.shape.degrees)

    def close(self) -> None:
        self._frames.close()
        self._container.close()

    def _from(self, start_seconds: float) -> Generator[av.VideoFrame, None, None]:
        """All frames from one at or before `start_seconds` on, found by a seek where that works."""
        if start_seconds > 0 and self.header.container in _SEEKABLE:
            frames = self._decode() if self._seek(start_seconds) else iter(())
            first = next(frames, None)
            if first is not None and self._time(first) <= start_seconds:
                yield first
                yield from frames
                return
            self.damage = self.broken_end = None  # it will be met again
            self._seek(0.0)
        yield from self._decode()

    def _seek(self, seconds: float) -> bool:
        """Go to the last key frame at or before `seconds`; False where the file does not let."""
        try:
            ticks = int(seconds * self._tick_denominator / self._tick_numerator)
            self._container.seek(self._start + ticks, stream=self._stream)
        except (av.error.FFmpegError, OverflowError):  # no such time
            return False
        return True

    def _decode(self) -> Iterator[av.VideoFrame]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self._note(_text(error))
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._note("a frame was decoded from damaged data")
                else:
                    self._confirm()
                yield frame

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        failures = strays = 0
        packets = self._container.demux(self._stream)
        while failures < _MAX_FAILURES and strays < _MAX_STRAYS:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                self._note(_text(error))
                failures += 1
                packets = self._container.demux(self._stream)
                continue
            except IndexError:  # PyAV's, for each packet of a stream that appeared midway
                strays += 1
                packets = self._container.demux(self._stream)
                continue
            if packet is None:
                return
            strays = 0
            yield packet
            if not packet.size:  # the last one, which has the codec hand out what it holds
                return

    def _time(self, frame: av.VideoFrame) -> float:
        """Since the stream's start; NaN where the container does not tell."""
        pts = frame.pts
        if pts is None or not self.header.tells_times:
            return math.nan
        return (pts - self._start) * self._tick_numerator / self._tick_denominator

    def _note(self, message: str) -> None:
        if self.damage is None and self.broken_end is None:
            after = self._seconds if math.isfinite(self._seconds) else 0.0
            self.broken_end = Damage(after, message)

    def _confirm(self) -> None:
        """What was noted is not the end: there is more to come."""
        if self.broken_end is not None:
            self.damage, self.broken_end = self.broken_end, None


def _text(error: av.error.FFmpegError) -> str:
    return error.strerror or type(error).__name__
