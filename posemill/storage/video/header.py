"""Opens a container, and reads what it says of its video before a frame is decoded."""

from __future__ import annotations

from fractions import Fraction

import av
import av.logging
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from posemill.storage.video.facts import Header
from posemill.storage.video.limits import VideoLimits
from posemill.storage.video.trust import ALLOWED_FORMATS, FileBytes, describe_head, unreadable

# FFmpeg writes what it meets to stderr otherwise, a line for every damaged block.
av.logging.set_level(av.logging.PANIC)

_MAX_FPS = 1000.0
_OPTIONS = {"format_whitelist": ",".join(ALLOWED_FORMATS), "protocol_whitelist": "none"}
_BUFFER_BYTES = 1 << 18


def open_container(source: FileBytes, limits: VideoLimits) -> tuple[InputContainer, VideoStream]:
    """The container and its first stream of moving pictures.

    Raises:
        UnreadableVideo: it is none of the allowed kind, has no video, or claims to be
            larger or longer than the limits.
        EnvironmentFault: its bytes cannot be read.
    """
    try:
        container = av.open(
            source,
            "r",
            options=_OPTIONS,
            buffer_size=_BUFFER_BYTES,
            metadata_errors="replace",  # titles in any encoding are nothing to us
        )
    except (av.error.FFmpegError, ValueError) as error:
        source.raise_fault()
        raise unreadable(source.name, _describe(source, str(error))) from error
    try:
        stream = _video_stream(container, source)
        codec = stream.codec_context
        limits.require_size(source.name, codec.width, codec.height)
        limits.require_seconds(source.name, _duration_seconds(container, stream) or 0.0)
        # Frames may grow in the middle, whatever the header says.
        codec.options = {"max_pixels": str(limits.max_edge_px**2)}
    except BaseException:
        container.close()
        raise
    return container, stream


def describe(container: InputContainer, stream: VideoStream) -> Header:
    """What the file says of itself."""
    fps = _fps(stream)
    duration_seconds = _duration_seconds(container, stream)
    declared = stream.frames
    if declared <= 0 and fps is not None and duration_seconds is not None:
        declared = round(duration_seconds * fps)
    codec = stream.codec_context
    return Header(
        container=container.format.name.partition(",")[0],
        codec=codec.codec.canonical_name,
        pixel_format=codec.pix_fmt or "",
        width=codec.width,
        height=codec.height,
        pixel_aspect=float(stream.sample_aspect_ratio or 1),
        fps=fps,
        duration_seconds=duration_seconds,
        frames_declared=max(0, declared),
        tells_times=not (container.format.name == "avi" and codec.has_b_frames),
    )


def _video_stream(container: InputContainer, source: FileBytes) -> VideoStream:
    """The first one, as OpenCV takes it; a cover picture is none."""
    for stream in container.streams.video:
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic:
            return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise unreadable(source.name, f"a file without video that can be decoded; it holds {kinds}")


def _describe(source: FileBytes, error: str) -> str:
    told = describe_head(source.head())
    return told or f"a file in which FFmpeg finds no video of an allowed format ({error})"


def _fps(stream: VideoStream) -> float | None:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= _MAX_FPS:
            return float(rate)
    return None


def _duration_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is None:
        return None
    # Matroska's reaches from zero to the end, however late the first frame is.
    is_from_zero = container.format.name.startswith("matroska")
    late = max(0, container.start_time or 0) if is_from_zero else 0
    return float(Fraction(max(0, container.duration - late), av.time_base))
