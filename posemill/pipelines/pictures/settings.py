"""How videos are decoded once more; nothing of it decides what pictures show."""

from __future__ import annotations

from dataclasses import dataclass, field

from posemill.errors import InputError
from posemill.storage.video import VideoLimits

MIB = 2**20


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """Of each worker.

    Raises:
        InputError: a limit that is not positive.
    """

    limits: VideoLimits = field(default_factory=VideoLimits)
    silence_seconds: float = 120.0
    """The longest time between two signs of life of a decoder."""
    pass_bytes: int = 256 * MIB
    """Of frames that are held at once, for as many clips of a video as they do for, decoded in
    one pass; one clip may take more."""
    clip_bytes: int = 2048 * MIB
    """The most that one clip may take."""

    def __post_init__(self) -> None:
        for name in ("silence_seconds", "pass_bytes", "clip_bytes"):
            if not getattr(self, name) > 0:
                raise InputError(f"the limit {name} must be above 0, got {getattr(self, name)}")
