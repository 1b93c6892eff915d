"""Weighted sums of joint maps over time, straight from the coordinates."""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Int64
from posemill.transforms.rasterize import kernels
from posemill.transforms.rasterize.checks import (
    Combine,
    adds,
    check_out,
    checked_gaussian,
    checked_people,
    checked_weights,
)


def accumulate_joints(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    weights: Float32,
    out: Float32,
    *,
    sigma: float,
    truncate: float = 3.0,
    combine: Combine = "max",
) -> None:
    """Add to `out` the maps of all frames, weighted: sum_t weights[t, c] J_k^t.

    The volume of all J_k^t is never made: the memory that it takes does not
    grow with T. Other arguments as for `draw_joints`.

    Args:
        weights: (T, C); T may be 0.
        out: (K, C, H, W), C-contiguous float32; is added to.

    Raises:
        ValueError: an argument that does not fit, by name.
    """
    people = checked_people(xy_px, score, frame_ptr)
    check_out(
        out, (people.num_keypoints, None, None, None), "(K, C, H, W)", (np.dtype(np.float32),)
    )
    shares = checked_weights(weights, people.num_frames, out.shape[1])
    gaussian, add = checked_gaussian(sigma, truncate), adds(combine, out)
    kernels.accumulate_joints(*people, shares, *gaussian, add, out)
