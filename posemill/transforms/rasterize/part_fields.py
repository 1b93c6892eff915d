"""Part affinity fields from triplets: unit limb vectors on the limbs' supports.

For the limb from joint a to joint b, v = (b - a) / |b - a|, and its support is
the pixels whose projection lies on the segment, 0 <= v . (p - a) <= |b - a|,
at most `half_width` aside of it; where people's same limb overlaps, the vectors
are averaged over those who cover the pixel (Cao et al., "Realtime Multi-Person
2D Pose Estimation using Part Affinity Fields", CVPR 2017, section 2.3: the
fields that networks are trained towards).
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Int64
from posemill.transforms.rasterize import kernels
from posemill.transforms.rasterize.checks import (
    Limbs,
    Maps,
    check_out,
    checked_half_width,
    checked_limbs,
    checked_people,
)
from posemill.transforms.rasterize.stored import FIELD_DTYPES, draw_through_scratch


def draw_part_fields(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    limbs: Limbs,
    out: Maps,
    *,
    half_width: float = 1.0,
    weighted: bool = False,
) -> None:
    """Draw the part fields of T frames into `out`, which must hold zeros.

    A limb draws nothing where one of its joints is not detected, and where its
    ends coincide, as it has no direction then. A limb shorter than a pixel also
    marks the pixel nearest to its middle, on a tie all of them, so that it
    cannot fall between pixels.

    Args:
        xy_px: (P, K, 2) in px of the maps; score: (P, K); frame_ptr: (T + 1,),
            see `draw_joints`.
        limbs: L pairs of different joints, from a to b.
        out: (2 L, T, H, W), x of limb l at 2 l and y at 2 l + 1; C-contiguous
            float32 or float16.
        half_width: of the support, px.
        weighted: multiply each person's vector by min(c_a, c_b). The average
            still divides by the number of people, so that a faint limb has a
            short vector; full scores give the unweighted field.

    Raises:
        ValueError: an argument that does not fit, by name.
    """
    people = checked_people(xy_px, score, frame_ptr)
    pairs = checked_limbs(limbs, people.num_keypoints)
    shape = (2 * len(pairs), people.num_frames, None, None)
    check_out(out, shape, "(2 L, T, H, W)", FIELD_DTYPES)
    options = checked_half_width(half_width), bool(weighted)
    if out.dtype != np.float16:
        kernels.draw_part_fields(*people, pairs, *options, out)
        return

    def draw(limb: int, scratch: Maps) -> None:
        kernels.draw_part_fields(*people, pairs[limb : limb + 1], *options, scratch)

    draw_through_scratch(out, draw, maps_each=2)
