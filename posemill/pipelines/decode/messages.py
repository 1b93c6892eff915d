"""What travels between a decoder process and the process that asks for frames."""

from __future__ import annotations

from dataclasses import dataclass, field

from posemill.errors import ContentError, EnvironmentFault, InputError
from posemill.pipelines.supervise.messages import Loss
from posemill.storage.files.cache import FileCache
from posemill.storage.files.location import Location
from posemill.storage.video import FrameOptions, VideoFacts, VideoLimits

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Ahead:
    """How far each clip may be decoded ahead of its reader: its ring of frames.

    Raises:
        InputError: room for fewer than two frames, or for none.
    """

    num_bytes: int = 64 * MIB
    """Of a clip's frames; two frames have room even where they are larger."""
    num_frames: int = 256

    def __post_init__(self) -> None:
        if self.num_bytes < 1 or self.num_frames < 2:
            raise InputError(
                f"decoding ahead takes at least 1 byte and 2 frames, got {self.num_bytes} bytes "
                f"and {self.num_frames} frames"
            )

    def slots(self, slot_bytes: int) -> int:
        """How many frames of this size a ring holds."""
        return max(2, min(self.num_frames, self.num_bytes // slot_bytes))


@dataclass(frozen=True, slots=True)
class Request:
    """A clip to decode: where it is, and what `storage.video.open_video` is asked for."""

    item_id: str
    """Names the clip for its reader."""
    location: Location
    cache: FileCache
    """Where files are kept that have to be fetched."""
    start_seconds: float = 0.0
    end_seconds: float | None = None
    options: FrameOptions = field(default_factory=FrameOptions)
    limits: VideoLimits = field(default_factory=VideoLimits)


@dataclass(frozen=True, slots=True)
class Ready:
    """The process can decode."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The process begins with a clip; what it says next is about that."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The clip's file is here, wherever it came from: what takes time now is its own doing."""

    identity: str
    """As `Video.identity`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The first frame is there; a ring that is new travels along as a file descriptor."""

    ring: int
    """Number of the ring, by which the process uses it again."""
    slot_bytes: int
    num_slots: int


@dataclass(frozen=True, slots=True)
class FrameReady:
    """A frame lies in a slot until its reader gives that back."""

    slot: int
    shape: tuple[int, ...]  # (H, W, 3)
    index: int
    pts_seconds: float


@dataclass(frozen=True, slots=True)
class FramesReady:
    """The next frames; several where they come so fast that a message for each would cost."""

    frames: tuple[FrameReady, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """All frames were handed over."""

    facts: VideoFacts
    identity: str
    """Of the file that was read, as `Video.identity`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """There are no (more) frames, by the video's fault, as it is missing, or the environment's."""

    error: ContentError | FileNotFoundError | EnvironmentFault


@dataclass(frozen=True, slots=True)
class Broken:
    """The process is lost with this clip."""

    loss: Loss


@dataclass(frozen=True, slots=True)
class Dropped:
    """The clip's reader has left, and the process with it."""


ClipEvent = FrameReady | Ended | Refused | Broken
Answer = Ready | Taken | Fetched | Opened | FramesReady | Dropped | Ended | Refused | Broken
