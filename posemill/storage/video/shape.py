"""The size of a video's frames: as they are stored, shown and handed out."""

from __future__ import annotations

from dataclasses import dataclass

from posemill.storage.video.options import FrameOptions


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes as (width, height)."""

    shown: tuple[int, int]
    """After rotation and stretching to square pixels, where they are asked for."""
    handed_out: tuple[int, int]
    """The same, scaled down to `long_edge`."""
    degrees: int
    """Counter-clockwise, from stored to shown: 0, 90, 180 or 270."""

    @classmethod
    def of(
        cls, stored: tuple[int, int], degrees: int, pixel_aspect: float, options: FrameOptions
    ) -> Shape:
        """The shape of frames stored in this size."""
        width, height = stored
        if options.square_pixels:
            width = max(1, round(width * pixel_aspect))
        quarters = round(degrees / 90) % 4 if options.rotate else 0
        shown = (height, width) if quarters % 2 else (width, height)
        return cls(shown, fitted(shown, options.long_edge), 90 * quarters)

    @property
    def before_turning(self) -> tuple[int, int]:
        """What a frame as it is stored is scaled to."""
        width, height = self.handed_out
        return (height, width) if self.degrees % 180 else (width, height)


def fitted(size: tuple[int, int], long_edge: int | None) -> tuple[int, int]:
    """Scaled down until the longer edge is `long_edge`; never up, never below 1 pixel."""
    if long_edge is None or max(size) <= long_edge:
        return size
    scale = long_edge / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
