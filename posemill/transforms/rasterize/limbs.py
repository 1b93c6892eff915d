"""Limbs as Gaussians around segments: min(c_a, c_b) exp(-D^2 / (2 sigma^2)).

D is the distance from the pixel to the segment from joint a to joint b (Duan
et al., CVPR 2022, equation 2). A limb covers the pixels within truncate sigma,
in x and in y, of its ends' bounding box. Limbs shorter than a pixel are drawn
by the same equation; the published code draws their joint a with its own score.
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Int64
from posemill.transforms.rasterize import kernels
from posemill.transforms.rasterize.checks import (
    Combine,
    Limbs,
    Maps,
    adds,
    check_out,
    checked_gaussian,
    checked_limbs,
    checked_people,
)
from posemill.transforms.rasterize.stored import (
    MAP_DTYPES,
    draw_through_scratch,
    erasable,
    storing,
)


def draw_limbs(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    limbs: Limbs,
    out: Maps,
    *,
    sigma: float,
    truncate: float = 3.0,
    combine: Combine = "max",
) -> None:
    """Draw the limbs of T frames into `out`, which must hold zeros.

    A limb draws nothing where one of its joints would not (see `draw_joints`).
    Values below 2^-20 of the limb's score are left out. Other arguments as for
    `draw_joints`.

    Args:
        limbs: L pairs of different joints; the order within a pair makes no difference.
        out: (L, T, H, W), as for `draw_joints`.

    Raises:
        ValueError: an argument that does not fit, by name; a sum in uint8.
    """
    people = checked_people(xy_px, score, frame_ptr)
    pairs = checked_limbs(limbs, people.num_keypoints)
    _check_out(out, len(pairs), people.num_frames)
    gaussian, add = checked_gaussian(sigma, truncate), adds(combine, out)
    if out.dtype != np.float16 and out.shape[-1] >= kernels.LANES:
        kernels.draw_limbs(*people, pairs, *gaussian, *storing(out), add, out)
        return

    def draw(limb: int, scratch: Maps) -> None:
        pair = pairs[limb : limb + 1]
        kernels.draw_limbs(*people, pair, *gaussian, *storing(scratch), add, scratch)

    draw_through_scratch(out, draw, min_width=kernels.LANES)


def erase_limbs(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    limbs: Limbs,
    out: Maps,
    *,
    sigma: float,
    truncate: float = 3.0,
) -> None:
    """Put zeros where `draw_limbs` with the same arguments has drawn, and in its limbs' boxes.

    Arguments and errors as for `draw_limbs`.
    """
    people = checked_people(xy_px, score, frame_ptr)
    pairs = checked_limbs(limbs, people.num_keypoints)
    _check_out(out, len(pairs), people.num_frames)
    kernels.erase_limbs(*people, pairs, checked_gaussian(sigma, truncate).reach, erasable(out))


def _check_out(out: Maps, num_limbs: int, num_frames: int) -> None:
    check_out(out, (num_limbs, num_frames, None, None), "(L, T, H, W)", MAP_DTYPES)
