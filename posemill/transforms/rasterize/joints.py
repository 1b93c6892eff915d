"""Joints as Gaussians: J_k(i, j) = c exp(-((i - x)^2 + (j - y)^2) / (2 sigma^2)).

Duan et al., "Revisiting Skeleton-based Action Recognition", CVPR 2022,
equation 1. A joint covers the pixels with |i - x| and |j - y| of at most
truncate sigma, a square: the published code takes one more to the left and to
the top, so that there a flipped pose does not give a flipped map.
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Int64
from posemill.transforms.rasterize import kernels
from posemill.transforms.rasterize.checks import (
    Combine,
    Maps,
    adds,
    check_out,
    checked_gaussian,
    checked_people,
)
from posemill.transforms.rasterize.stored import (
    MAP_DTYPES,
    draw_through_scratch,
    erasable,
    storing,
)


def draw_joints(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    out: Maps,
    *,
    sigma: float,
    truncate: float = 3.0,
    combine: Combine = "max",
) -> None:
    """Draw the joints of T frames into `out`, which must hold zeros.

    A joint with a score below 0.001 or not finite, without finite coordinates or
    off the map draws nothing.

    Args:
        xy_px: (P, K, 2) in px of the maps.
        score: (P, K), in [0, 1]; 0 = not detected.
        frame_ptr: (T + 1,); rows `frame_ptr[t] : frame_ptr[t + 1]` are frame t.
        out: (K, T, H, W), C-contiguous, as a slice of a batch is; float32,
            float16, or uint8, which holds round(255 v).
        sigma: of the Gaussians, px; 0.1 or more.
        truncate: how many sigmas a Gaussian reaches, at most 10.
        combine: how people of a frame meet in a pixel: the greatest value, as
            published in code, or the sum, as the paper says.

    Raises:
        ValueError: an argument that does not fit, by name; a sum in uint8.
    """
    people = checked_people(xy_px, score, frame_ptr)
    _check_out(out, people.num_keypoints, people.num_frames)
    gaussian, add = checked_gaussian(sigma, truncate), adds(combine, out)
    if out.dtype != np.float16:
        kernels.draw_joints(*people, *gaussian, *storing(out), add, out)
        return

    def draw(k: int, scratch: Maps) -> None:
        kernels.draw_joints(*people.only(k), *gaussian, *storing(scratch), add, scratch)

    draw_through_scratch(out, draw)


def erase_joints(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    out: Maps,
    *,
    sigma: float,
    truncate: float = 3.0,
) -> None:
    """Put zeros where `draw_joints` with the same arguments has drawn, and nowhere else.

    Much cheaper than clearing all of `out` to draw the next clip into it.
    Arguments and errors as for `draw_joints`.
    """
    people = checked_people(xy_px, score, frame_ptr)
    _check_out(out, people.num_keypoints, people.num_frames)
    kernels.erase_joints(*people, checked_gaussian(sigma, truncate).reach, erasable(out))


def _check_out(out: Maps, num_keypoints: int, num_frames: int) -> None:
    check_out(out, (num_keypoints, num_frames, None, None), "(K, T, H, W)", MAP_DTYPES)
