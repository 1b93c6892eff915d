"""How pose files become poses: what decides them, which a store keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from posemill.errors import InputError
from posemill.storage.formats.base import PoseFormat
from posemill.storage.formats.registry import get_format
from posemill.transforms.tracking import TrackSettings

STAGE = "import"
_MAX_EDGE_PX = 65_536


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """Carried as they are to workers.

    Raises:
        InputError: what the format's files tell is given, or what they do not tell is not; or
            a size or a rate that cannot be.
    """

    format: PoseFormat
    size_wh: tuple[int, int] | None = None
    """Of all videos' frames, in pixels, where the files do not tell it."""
    fps: float | None = None
    """Of all videos, where the files do not tell it."""
    tracks: TrackSettings = field(default_factory=TrackSettings)

    def __post_init__(self) -> None:
        given = self.format
        _require_one(
            "--size", "the size of the frames", "1920x1080", self.size_wh, given.tells_size, given
        )
        _require_one("--fps", "the frames per second", "25", self.fps, given.tells_fps, given)
        if self.size_wh is not None and not all(0 < edge <= _MAX_EDGE_PX for edge in self.size_wh):
            raise InputError(
                f"--size must be from 1x1 to {_MAX_EDGE_PX}x{_MAX_EDGE_PX} px, got "
                f"{self.size_wh[0]}x{self.size_wh[1]}"
            )
        if self.fps is not None and not (isfinite(self.fps) and self.fps > 0):
            raise InputError(f"--fps must be more than 0 frames a second, got {self.fps}")

    def configuration(self) -> dict[str, Any]:
        """All that decides the content of a pose store; which files there are does not."""
        return {
            "stage": STAGE,
            "estimator": "imported",
            "format": self.format.configuration(),
            "skeleton": self.format.skeleton,
            "size_wh": None if self.size_wh is None else list(self.size_wh),
            "fps": self.fps,
            "tracks": self.tracks.configuration(),
        }


def stored_settings(configuration: Mapping[str, Any]) -> ImportSettings:
    """The settings that a store's configuration tells.

    Raises:
        InputError: its format is not registered here, or has other settings.
    """
    told = configuration["format"]
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in told["settings"].items()
    }
    size_wh = configuration["size_wh"]
    return ImportSettings(
        get_format(told["name"])(**values),
        None if size_wh is None else (size_wh[0], size_wh[1]),
        configuration["fps"],
        TrackSettings(**configuration["tracks"]),
    )


def _require_one(
    option: str, what: str, example: str, value: object, told: bool, given: PoseFormat
) -> None:
    """Raises:
    InputError: something is told by the files and by an option, or by neither.
    """
    if told and value is not None:
        raise InputError(
            f"{option}: the files of {given.name} tell {what} themselves; leave it out"
        )
    if not told and value is None:
        raise InputError(
            f"the files of {given.name} do not tell {what}; give it with {option} {example}. Where "
            "it is not the same for all videos, import each kind from a folder into a store of "
            "its own"
        )
