"""Where joints are on maps that are not drawn yet: kilobytes that stand for megabytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posemill.schema import Float32, Int64, PoseSequence
from posemill.transforms.arguments import height_width
from posemill.transforms.clips import gather_frames, map_pose
from posemill.transforms.geometry import Box


@dataclass(frozen=True, slots=True)
class PlacedPoses:
    """People of F drawn frames, in px of the maps; frame f has rows `frame_ptr[f]` to
    `frame_ptr[f + 1] - 1`.

    A frame may be there more than once, and a joint may lie off the maps or be
    missing (`rasterize.draw_joints` says what is drawn of it).

    Raises:
        ValueError: shapes that disagree, pointers out of order, or a part that
            shows the frame and is larger than the maps.
    """

    xy_px: Float32  # (P, K, 2)
    score: Float32  # (P, K)
    frame_ptr: Int64  # (F + 1,)
    size_hw: tuple[int, int]
    """Height and width of the maps."""
    valid_hw: tuple[int, int]
    """Of the part of the maps that shows the frame, at the top left; the rest stays zero."""

    def __post_init__(self) -> None:
        if self.score.ndim != 2 or self.xy_px.shape != (*self.score.shape, 2):
            raise ValueError(
                "placed poses must have xy_px (P, K, 2) and score (P, K), got "
                f"{self.xy_px.shape} and {self.score.shape}"
            )
        ptr = self.frame_ptr
        if ptr.ndim != 1 or not len(ptr) or ptr[0] != 0 or ptr[-1] != len(self.score):
            raise ValueError(
                f"frame_ptr (F + 1,) must run from 0 to the {len(self.score)} rows of score, got "
                f"{np.array2string(ptr, threshold=16)}"
            )
        if np.any(np.diff(ptr) < 0):
            raise ValueError(
                f"frame_ptr must not decrease, got {np.array2string(ptr, threshold=16)}"
            )
        size, valid = height_width("size_hw", self.size_hw), height_width("valid_hw", self.valid_hw)
        if valid[0] > size[0] or valid[1] > size[1]:
            raise ValueError(f"valid_hw must lie within size_hw {size}, got {valid}")

    @property
    def num_frames(self) -> int:
        return len(self.frame_ptr) - 1

    @property
    def num_keypoints(self) -> int:
        return int(self.score.shape[1])

    @property
    def num_bytes(self) -> int:
        """Of the arrays."""
        return self.xy_px.nbytes + self.score.nbytes + self.frame_ptr.nbytes


def place_pose(
    pose: PoseSequence,
    box: Box,
    size_hw: tuple[int, int],
    valid_hw: tuple[int, int],
    frames: Int64 | None = None,
) -> PlacedPoses:
    """The people of `frames`, or of all, on maps whose part of `valid_hw` shows `box` of the frame.

    Raises:
        IndexError: a frame that `pose` does not have.
    """
    mapped = map_pose(pose, box, valid_hw)
    if frames is None:
        return PlacedPoses(mapped.xy_px, mapped.score, mapped.frame_ptr, size_hw, valid_hw)
    rows, ptr = gather_frames(pose.frame_ptr, frames)
    return PlacedPoses(mapped.xy_px[rows], mapped.score[rows], ptr, size_hw, valid_hw)


def place_nobody(
    num_frames: int, num_keypoints: int, size_hw: tuple[int, int], valid_hw: tuple[int, int]
) -> PlacedPoses:
    """Frames without people."""
    return PlacedPoses(
        np.zeros((0, num_keypoints, 2), np.float32),
        np.zeros((0, num_keypoints), np.float32),
        np.zeros(num_frames + 1, np.int64),
        size_hw,
        valid_hw,
    )


def join_frames(parts: Sequence[PlacedPoses]) -> PlacedPoses:
    """The frames of all parts, one part after another, on maps of the same sizes.

    Raises:
        ValueError: no part, or parts of other sizes or numbers of joints.
    """
    kinds = {(part.num_keypoints, part.size_hw, part.valid_hw) for part in parts}
    if len(kinds) != 1:
        raise ValueError(
            "joined poses must have one number of joints, size_hw and valid_hw, got "
            f"{sorted(kinds) or 'no poses'}"
        )
    return PlacedPoses(
        np.concatenate([part.xy_px for part in parts]),
        np.concatenate([part.score for part in parts]),
        join_pointers([part.frame_ptr for part in parts]),
        parts[0].size_hw,
        parts[0].valid_hw,
    )


def join_pointers(pointers: Sequence[Int64]) -> Int64:
    """The pointers (N + 1,), each from 0 on, of concatenated rows."""
    lengths = [np.diff(ptr) for ptr in pointers]
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])
