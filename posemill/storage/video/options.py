"""Which frames of a video are wanted, in which size, and by which decoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import av
import cv2

from posemill.errors import InputError

PYAV = "pyav"
OPENCV = "opencv"
AUTO = "auto"
DECODERS = (AUTO, PYAV, OPENCV)
_MAX_FPS = 1_000_000
_VERSIONS = {PYAV: av.__version__, OPENCV: cv2.__version__}


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """How frames come out of a reader, whatever the file.

    Raises:
        InputError: a value out of its range, or both `frame_step` and `fps`.
    """

    long_edge: int | None = None
    """Pixels of the longer edge of larger frames, which are scaled down to it; None keeps sizes."""
    frame_step: int = 1
    """Every so many-th frame of the span, from its first one."""
    fps: float | None = None
    """So many frames a second, at most those that there are; see `sampling.FramePicker`."""
    decoder: str = AUTO
    rotate: bool = True
    """Whether a rotation that the file asks players for is carried out."""
    square_pixels: bool = False
    """Whether frames whose pixels are not square are stretched in width until they are."""

    def __post_init__(self) -> None:
        if self.long_edge is not None and self.long_edge < 1:
            raise InputError(f"long_edge must be at least 1 pixel, got {self.long_edge}")
        if self.frame_step < 1:
            raise InputError(f"frame_step must be at least 1, got {self.frame_step}")
        if self.fps is not None and not 0 < self.fps <= _MAX_FPS:
            raise InputError(f"fps must be above 0 and at most {_MAX_FPS:,}, got {self.fps}")
        if self.fps is not None and self.frame_step != 1:
            raise InputError(
                f"frame_step {self.frame_step} and fps {self.fps} both choose frames; give one"
            )
        if self.decoder not in DECODERS:
            raise InputError(
                f"there is no decoder {self.decoder!r}; there are {', '.join(DECODERS)}"
            )

    def as_dict(self) -> dict[str, Any]:
        """As keywords of `open_video`."""
        return asdict(self)

    def configuration(self) -> dict[str, Any]:
        """What decides the pixels, for a store: the options with the decoder that is meant."""
        decoder = choose_decoder(self.decoder)
        return {**asdict(self), "decoder": f"{decoder}-{_VERSIONS[decoder]}"}

    @classmethod
    def of_configuration(cls, stored: Mapping[str, Any]) -> FrameOptions:
        """The options that a store was made with; of the decoder the version is left out."""
        return cls(**{**stored, "decoder": stored["decoder"].partition("-")[0]})


def choose_decoder(decoder: str) -> str:
    """The decoder that is meant: `auto` is the one that measures fastest and reads most.

    By `make bench-decode`, PyAV with planes converted by OpenCV (`picture`)
    is as fast as OpenCV's own capture or faster for every size, and clearly so
    where frames are scaled down; and it alone reads on after a damaged packet.
    """
    return PYAV if decoder == AUTO else decoder
