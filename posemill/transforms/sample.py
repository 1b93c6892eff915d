"""What a recipe is given of one clip: its poses, and what else it says that it requires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from posemill.errors import InputError
from posemill.schema import Int64, PoseSequence, TimedBox, UInt8

Requirement = Literal["pose", "pose3d", "boxes", "dense", "frames"]
DenseKind = Literal["joints", "parts", "features"]


class FrameMaps(Protocol):
    """Maps (D, C, h, w): an array, or what reads parts of one when it is indexed."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def ndim(self) -> int: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any:
        """The maps (N, C, h, w) of rows: a slice, or numbers (N,)."""


@dataclass(frozen=True, slots=True)
class DenseMaps:
    """The estimator's own maps of D frames of a clip, scaled to show the whole frame.

    Raises:
        ValueError: shapes that disagree, or frames out of order.
    """

    frame: Int64  # (D,) rising numbers of the frames in the clip
    joints: FrameMaps | None = None  # (D, K, h, w) heatmaps in [0, 1]
    parts: FrameMaps | None = None  # (D, 2 L, h, w) x and y of each limb's field
    features: FrameMaps | None = None  # (D, C, h, w) of a layer of its network

    def __post_init__(self) -> None:
        if np.any(np.diff(self.frame) <= 0):
            raise ValueError("the frames of dense maps must rise")
        for kind in ("joints", "parts", "features"):
            maps = getattr(self, kind)
            if maps is not None and (maps.ndim != 4 or len(maps) != len(self.frame)):
                raise ValueError(
                    f"dense {kind} must be ({len(self.frame)}, channels, h, w), got {maps.shape}"
                )

    def kept(self, kind: DenseKind) -> FrameMaps:
        """The maps (D, ., h, w) of a kind.

        Raises:
            InputError: the estimator's maps of that kind were not kept.
        """
        maps: FrameMaps | None = getattr(self, kind)
        if maps is None:
            raise InputError(f"the pose store keeps no dense {kind} of the estimator")
        return maps


@dataclass(frozen=True, slots=True)
class Pictures:
    """Decoded frames of a clip, each of them whole, in the size that they were decoded in.

    That may be another size than the one in whose px the poses are.

    Raises:
        ValueError: shapes that disagree, or frames out of order.
    """

    frame: Int64  # (N,) rising numbers of the frames in the clip
    rgb: UInt8  # (N, h, w, 3)

    def __post_init__(self) -> None:
        if self.rgb.ndim != 4 or self.rgb.shape[-1] != 3 or len(self.rgb) != len(self.frame):
            raise ValueError(f"pictures must be ({len(self.frame)}, h, w, 3), got {self.rgb.shape}")
        if self.rgb.dtype != np.uint8:
            raise ValueError(f"pictures must be uint8, got {self.rgb.dtype}")
        if np.any(np.diff(self.frame) <= 0):
            raise ValueError("the frames of pictures must rise")

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width, px."""
        return self.rgb.shape[1], self.rgb.shape[2]

    def rows(self, frames: Int64) -> Int64:
        """Which of the pictures show the frames `frames`, of any shape.

        Raises:
            InputError: there is no picture of a frame.
        """
        rows = np.searchsorted(self.frame, frames)
        there = np.append(self.frame, -1)[rows] == frames
        if not there.all():
            raise InputError(
                f"there is no picture of frame {np.asarray(frames)[~there].flat[0]} of the clip; "
                f"there are {len(self.frame)} pictures"
            )
        return rows


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip, as `recipe(sample, rng)` takes it.

    Boxes, dense maps and pictures are there where the recipe's `requires` names them.
    """

    pose: PoseSequence
    """Of the clip alone, see `clips.clip_poses`."""
    boxes: tuple[TimedBox, ...] = ()
    """Of the labelled person; times are those of the video, as in `pose.pts_seconds`."""
    dense: DenseMaps | None = None
    pictures: Pictures | None = None
    """Of the frames that the recipe's `picture_frames` names."""
