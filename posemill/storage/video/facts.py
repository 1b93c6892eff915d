"""What comes out of a video: frames, and what is known of the file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from posemill.schema import UInt8


class Completeness(StrEnum):
    """How much of what a file promises could be read."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"  # it ends before the header says
    DAMAGED = "damaged"  # something in the middle could not be decoded


class PtsSource(StrEnum):
    """Where frames' times are from."""

    CONTAINER = "container"
    FRAME_RATE = "frame rate"  # the container's did not rise: from there on index / fps


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame."""

    index: int
    """From 0, counted from the first frame of the span, of those that are taken."""
    pts_seconds: float
    """Time in the file (not in the span) since its first frame; rises strictly."""
    rgb: UInt8  # (H, W, 3)


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a decoder first met what it could not decode."""

    after_seconds: float
    """The time of the last frame before it; 0 where there is none."""
    message: str

    def __str__(self) -> str:
        return f"after {self.after_seconds:.2f} s: {self.message}"


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself; all of it may be wrong.

    Sizes are the codec's, before rotation. Unknown is 0 for counts and None for the rest.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    pixel_aspect: float
    """Width of a pixel over its height; 1 where it is not told."""
    fps: float | None
    duration_seconds: float | None
    frames_declared: int
    """Of the file; where it gives no count, its duration times its rate."""
    tells_times: bool
    """Whether it says when each frame is shown: an AVI tells the order of decoding alone."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What is known of a video once its frames were read."""

    header: Header
    decoder: str
    width: int
    """Of a frame as it is shown: after rotation, before it is scaled to `long_edge`."""
    height: int
    frame_size: tuple[int, int]
    """Width and height of the frames that were handed out."""
    frames_decoded: int
    """Frames that were handed out."""
    frames_read: int
    """Frames that were decoded, whether they were handed out or passed over."""
    pts_source: PtsSource
    completeness: Completeness
    message: str
    """Where and how it broke off; empty for a complete one."""
