"""Poses into pixels: joint maps, limb maps, part affinity fields, weighted sums over time.

All draw from ragged rows of people straight into the caller's array, by loops
that numba compiles on first use and keeps on disk.
"""

from posemill.transforms.rasterize.accumulate import accumulate_joints
from posemill.transforms.rasterize.checks import MIN_SIGMA_PX, Combine
from posemill.transforms.rasterize.joints import draw_joints, erase_joints
from posemill.transforms.rasterize.limbs import draw_limbs, erase_limbs
from posemill.transforms.rasterize.part_fields import draw_part_fields

__all__ = [
    "MIN_SIGMA_PX",
    "Combine",
    "accumulate_joints",
    "draw_joints",
    "draw_limbs",
    "draw_part_fields",
    "erase_joints",
    "erase_limbs",
]
