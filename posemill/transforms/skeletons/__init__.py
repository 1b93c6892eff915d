"""Skeletons as data: joint names, limbs, mirror pairs, parts, and the ways from one to another."""

from posemill.transforms.skeletons.blazepose import BLAZEPOSE_33
from posemill.transforms.skeletons.build import make_skeleton
from posemill.transforms.skeletons.coco import COCO_17, COCO_17_NECK, COCO_17_OKS_SIGMAS
from posemill.transforms.skeletons.conversions import convert, convertible, require_convertible
from posemill.transforms.skeletons.groups import (
    MirroredLimb,
    jitter_groups,
    limb_joints,
    limb_mirror,
)
from posemill.transforms.skeletons.jhmdb import JHMDB_15
from posemill.transforms.skeletons.ntu import NTU_25, NUCLA_20
from posemill.transforms.skeletons.openpose import BODY_25, COCO_18
from posemill.transforms.skeletons.parnet import PARNET_14, PARNET_PARTS
from posemill.transforms.skeletons.penn import PENN_13
from posemill.transforms.skeletons.registry import SKELETONS, get_skeleton
from posemill.transforms.skeletons.smarthome import SMARTHOME_13

__all__ = [
    "BLAZEPOSE_33",
    "BODY_25",
    "COCO_17",
    "COCO_17_NECK",
    "COCO_17_OKS_SIGMAS",
    "COCO_18",
    "JHMDB_15",
    "NTU_25",
    "NUCLA_20",
    "PARNET_14",
    "PARNET_PARTS",
    "PENN_13",
    "SKELETONS",
    "SMARTHOME_13",
    "MirroredLimb",
    "convert",
    "convertible",
    "get_skeleton",
    "jitter_groups",
    "limb_joints",
    "limb_mirror",
    "make_skeleton",
    "require_convertible",
]
