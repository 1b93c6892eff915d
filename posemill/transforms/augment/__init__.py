"""Random changes of maps and of joints; every draw comes from the generator given.

Arguments are never changed, results are new arrays. With equal generators and
equal settings, maps and joints are changed alike.
"""

from posemill.transforms.augment.crops import centre_crop, random_corner, random_crop
from posemill.transforms.augment.flips import flip_maps, flip_part_fields
from posemill.transforms.augment.maps import (
    drop_joints,
    independent_jitter,
    pose_aware_jitter,
    pose_aware_rotation,
    random_scale,
)
from posemill.transforms.augment.poses import (
    drop_joints_of_clip,
    drop_one_joint,
    jitter_joints,
    jitter_joints_independently,
    rotate_joints,
    scale_joints,
)

__all__ = [
    "centre_crop",
    "drop_joints",
    "drop_joints_of_clip",
    "drop_one_joint",
    "flip_maps",
    "flip_part_fields",
    "independent_jitter",
    "jitter_joints",
    "jitter_joints_independently",
    "pose_aware_jitter",
    "pose_aware_rotation",
    "random_corner",
    "random_crop",
    "random_scale",
    "rotate_joints",
    "scale_joints",
]
