"""How videos are decoded in a stage: which frames, within which limits, by how many processes."""

from __future__ import annotations

from dataclasses import dataclass, field

from posemill.storage.video import FrameOptions, VideoLimits


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """Of each worker."""

    processes: int = 1
    """That decode the next videos while the poses of one are estimated."""
    frames: FrameOptions = field(default_factory=FrameOptions)
    limits: VideoLimits = field(default_factory=VideoLimits)
