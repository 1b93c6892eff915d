"""RGBPose-Conv3D: a pathway over pictures and one over poses, which tell each other what they see.

Duan, Zhao, Chen, Lin, Dai: "Revisiting Skeleton-based Action Recognition", CVPR 2022,
sections 3.3, 4.3 and C.2, tables 6, 7 and 12.
"""

from posemill.models.rgbpose.merge import MergeReport, merge_pretrained
from posemill.models.rgbpose.model import RgbPoseModel
from posemill.models.rgbpose.network import POSE_LOGITS, RGB_LOGITS, RgbPoseNetwork

__all__ = [
    "POSE_LOGITS",
    "RGB_LOGITS",
    "MergeReport",
    "RgbPoseModel",
    "RgbPoseNetwork",
    "merge_pretrained",
]
