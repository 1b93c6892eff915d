"""Joints that people marked in MATLAB: of one person in every frame, in pixels counted from 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from posemill.errors import UnreadablePoses
from posemill.storage.formats.base import SourcePoses
from posemill.storage.formats.far_joints import near_frame
from posemill.storage.formats.mat_file import Float64

_MAX_PX = 1e6


def one_person(
    path: Path, xy: Float64, visible: npt.NDArray[np.bool_], size_wh: tuple[int, int]
) -> SourcePoses:
    """What the marks (T, K, 2) of a person tell, who is one track; score 1 where `visible` (T, K).

    Nobody is in frames where no joint is visible. A joint that is farther outside the frame
    than its size is not detected.

    Raises:
        UnreadablePoses: a visible joint's position is no number, or in no frame there is.
    """
    usable = (np.abs(xy) < _MAX_PX).all(axis=-1)
    if (wrong := visible & ~usable).any():
        frame, joint = np.argwhere(wrong)[0].tolist()
        x, y = xy[frame, joint].tolist()
        raise UnreadablePoses(
            f"{path}: joint {joint + 1} of frame {frame + 1} is at ({x:g}, {y:g}) px, which is in "
            "no frame"
        )
    seen = visible & near_frame(xy - 1, size_wh)
    frames = np.flatnonzero(seen.any(axis=1))
    xy_px = np.where(seen[..., None], xy - 1, 0.0)[frames]
    return SourcePoses(
        xy_px=xy_px.astype(np.float32),
        score=seen[frames].astype(np.float32),
        frame=frames.astype(np.int64),
        num_frames=len(xy),
        track=np.zeros(len(frames), np.int64),
        size_wh=size_wh,
    )
