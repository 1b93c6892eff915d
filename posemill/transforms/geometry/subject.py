"""The crop around the people of a clip."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32
from posemill.transforms.arguments import positive, real_number
from posemill.transforms.geometry.boxes import Box, frame_box
from posemill.transforms.geometry.joints import checked_joints

Float64 = npt.NDArray[np.float64]

PADDING = 0.25
MIN_EXTENT_PX = 10.0


def subject_box(
    xy_px: Float32,
    score: Float32,
    width: int,
    height: int,
    *,
    padding: float = PADDING,
    min_extent_px: float = MIN_EXTENT_PX,
    aspect: float | None = 1.0,
) -> Box:
    """The box around all detected joints of all given rows: one for all people and frames.

    It may reach beyond the frame. Where the joints span less than
    `min_extent_px` in x or in y, or there are none, it is the whole frame,
    whatever the aspect (PoseConv3D, section 3.2, and the sizes of its
    published code).

    Args:
        xy_px: (..., K, 2) in px of the frame.
        score: (..., K); 0 = not detected. Joints without finite coordinates
            are left out too.
        width, height: of the frame, px.
        padding: by what fraction of the joints' extent the box is larger.
        min_extent_px: least extent of a box of its own, above 0.
        aspect: width / height, reached by growing one side; None keeps the
            padded extent as it is.

    Raises:
        ValueError: shapes that disagree, a frame without area, or a value out
            of range.
    """
    xy_px, score = checked_joints(xy_px, score)
    positive("min_extent_px", min_extent_px)
    if not 0.0 <= real_number("padding", padding) < math.inf:
        raise ValueError(f"padding must be a number of 0 or more, got {padding}")
    if aspect is not None:
        positive("aspect", aspect)
    frame = frame_box(width, height)
    seen = xy_px[(score > 0) & np.isfinite(xy_px).all(axis=-1)].astype(np.float64)
    if len(seen) == 0:
        return frame
    low, high = seen.min(axis=0), seen.max(axis=0)
    if (high - low).min() < min_extent_px:
        return frame
    size = _grown((high - low) * (1.0 + padding), aspect)
    left, top = (low + high) / 2.0 - size / 2.0
    return Box(left=float(left), top=float(top), width=float(size[0]), height=float(size[1]))


def _grown(size: Float64, aspect: float | None) -> Float64:
    if aspect is None:
        return size
    width, height = size
    return np.array([max(width, height * aspect), max(height, width / aspect)])
