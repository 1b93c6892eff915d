"""What a video may claim to be before a frame of it is decoded."""

from __future__ import annotations

from dataclasses import dataclass, fields

from posemill.errors import InputError, UnreadableVideo


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """Greatest size, length and number of bytes of a video that is opened.

    Raises:
        InputError: a limit that is not positive.
    """

    max_edge_px: int = 8192
    max_seconds: float = 12 * 3600.0
    """Of what the header claims, and of what is decoded."""
    max_bytes: int = 64 * 2**30

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise InputError(
                    f"the limit {field.name} must be above 0, got {getattr(self, field.name)}"
                )

    def require_bytes(self, name: str, num_bytes: int) -> None:
        """Raises:
        UnreadableVideo: the file is larger.
        """
        self._require(name, num_bytes <= self.max_bytes, f"{num_bytes:,} bytes", "max_bytes")

    def require_size(self, name: str, width: int, height: int) -> None:
        """Raises:
        UnreadableVideo: an edge is longer.
        """
        is_within = max(width, height) <= self.max_edge_px
        self._require(name, is_within, f"frames of {width} x {height} pixels", "max_edge_px")

    def require_seconds(self, name: str, seconds: float) -> None:
        """Raises:
        UnreadableVideo: the video is longer.
        """
        self._require(name, seconds <= self.max_seconds, f"{seconds:,.1f} seconds", "max_seconds")

    def _require(self, name: str, is_within: bool, got: str, limit: str) -> None:
        if not is_within:
            raise UnreadableVideo(
                f"{name}: has {got}; expected at most {getattr(self, limit):,} ({limit}). "
                "Raise the limit if the file is to be trusted, or leave it out of the catalog."
            )
