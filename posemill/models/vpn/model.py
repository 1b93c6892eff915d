"""VPN's settings, and the views that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from posemill.errors import InputError
from posemill.models.backbones.video import VideoBackboneName, video_backbone
from posemill.models.base import Consensus, Model, ViewShapes, view_shape
from posemill.models.vpn.coupler import AttentionWeights
from posemill.models.vpn.embedding import SpatialEmbedding
from posemill.models.vpn.graph import normalised_adjacency, weighted_adjacency
from posemill.models.vpn.network import AttentionNetwork, LossWeights, VpnNetwork
from posemill.models.vpn.pose_backbone import (
    POOLED,
    POSE_FEATURES,
    GcnPoseBackbone,
    LstmPoseBackbone,
)
from posemill.schema import Skeleton
from posemill.settings import option, setting
from posemill.transforms.skeletons import SKELETONS, get_skeleton

_OF_SPACE = ("coupled", "dissociated", "spatial")
_OF_TIME = ("coupled", "dissociated", "temporal")


@dataclass(frozen=True)
class VpnModel(Model):
    """VPN: a network over videos, told by poses where and when to look.

    The rows of the paper's tables are these settings:

        l1              attention=none embedding=none
        l2              embedding=none
        l3, l7          the defaults
        l4              attention=dissociated pose_backbone=lstm
        l5              attention=dissociated
        l6              pose_backbone=lstm
        table 3         embedding=kl-video, kl-pose, kl-both, euclidean
        table 4         attention=spatial, with pose_backbone=lstm or gcn and embedding=none or not
        table 5, last   backbone=resnext101

    It also takes other recipes' `frames` without `poses`, with attention=none. Tests show it
    the same square crops as trainings, where section 4.1 infers over larger pictures.
    """

    name: ClassVar[str] = "vpn"
    recipes: ClassVar[tuple[str, ...]] = ("vpn-crops",)
    consensus: ClassVar[Consensus] = "max"

    backbone: VideoBackboneName = setting("i3d", "of the videos")
    width: float = setting(1.0, "times the backbone's published channels", low=0.01, high=4.0)
    attention: Literal["coupled", "dissociated", "spatial", "temporal", "none"] = setting(
        "coupled", "how weights of space and time come together, or which there are"
    )
    pose_backbone: Literal["gcn", "lstm"] = setting("gcn", "what reads the poses")
    embedding: Literal["euclidean", "kl-video", "kl-pose", "kl-both", "none"] = setting(
        "euclidean", "loss that brings videos and poses together"
    )
    skeleton: str = setting("ntu-25", "of the poses, whose limbs the graph has")
    alpha: float = setting(5.0, "weight between connected joints", low=0.0, high=1000.0)
    beta: float = setting(2.0, "weight between other joints", low=0.0, high=1000.0)
    pooling: bool = setting(True, "maxima within the pose backbone gcn")
    pose_dropout: float = setting(0.5, "within the pose backbone gcn", low=0.0, high=0.95)
    dropout: float = setting(0.3, "before the classifier", low=0.0, high=0.95)
    classes_weight: float = setting(
        0.8, "of the classes' loss, lambda 1; the embedding has the rest", low=0.0, high=1.0
    )
    attention_weight: float = setting(
        1e-5, "of the attention's regulariser, lambda 2", low=0.0, high=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        get_skeleton(self.skeleton)
        if self.embedding != "none" and self.attention not in _OF_SPACE:
            raise InputError(
                f"model {self.name}: embedding={self.embedding} brings videos and the spatial "
                f"attention together, which attention={self.attention} is without; add "
                f"--set {option(self, 'embedding')}=none"
            )

    def network(self, shapes: ViewShapes, num_classes: int) -> VpnNetwork:
        dims = ("time", "y", "x", "colour")
        frames, height, width, colours = view_shape(self, shapes, "frames", dims)
        self._require_three("frames", "colours", colours)
        backbone = video_backbone(self.backbone, self.width)
        size = backbone.feature_shape((frames, height, width))
        return VpnNetwork(
            backbone,
            None if self.attention == "none" else self._attention(shapes, size),
            self._embedding(backbone.out_channels, size),
            channels=backbone.out_channels,
            num_maps=2 if self.attention == "dissociated" else 1,
            dropout=self.dropout,
            weights=LossWeights(classes=self.classes_weight, attention=self.attention_weight),
            num_classes=num_classes,
        )

    def _require_three(self, name: str, what: str, size: int) -> None:
        if size != 3:
            raise InputError(
                f"the model {self.name} reads {name} of 3 {what}, and those of a view have {size}; "
                f"use features of the recipe {' or '.join(self.recipes)}"
            )

    def _attention(self, shapes: ViewShapes, size: tuple[int, int, int]) -> AttentionNetwork:
        dims = ("space", "keypoint", "time")
        space, num_joints, num_poses = view_shape(self, shapes, "poses", dims)
        self._require_three("poses", "coordinates", space)
        weights = AttentionWeights(
            POSE_FEATURES,
            size,
            space=self.attention in _OF_SPACE,
            time=self.attention in _OF_TIME,
        )
        pose_backbone = self._pose_backbone(num_joints, num_poses)
        return AttentionNetwork(pose_backbone, weights, coupled=self.attention == "coupled")

    def _pose_backbone(self, num_joints: int, num_poses: int) -> nn.Module:
        if self.pose_backbone == "lstm":
            return LstmPoseBackbone(num_joints)
        skeleton = self._skeleton(num_joints)
        if self.pooling and min(num_joints, num_poses) < POOLED:
            raise InputError(
                f"{num_poses} poses of {num_joints} joints are too few for the model {self.name}, "
                f"which pools them; expected {POOLED} of both at least: take more, or "
                f"--set {option(self, 'pooling')}=false"
            )
        edges = weighted_adjacency(num_joints, skeleton.limbs, self.alpha, self.beta)
        return GcnPoseBackbone(
            normalised_adjacency(edges),
            num_poses,
            pooling=self.pooling,
            dropout=self.pose_dropout,
        )

    def _skeleton(self, num_joints: int) -> Skeleton:
        skeleton = get_skeleton(self.skeleton)
        if skeleton.num_keypoints != num_joints:
            fitting = [each.name for each in SKELETONS.values() if each.num_keypoints == num_joints]
            raise InputError(
                f"model {self.name}: the skeleton {self.skeleton} has {skeleton.num_keypoints} "
                f"joints, and the poses have {num_joints}; give --set "
                f"{option(self, 'skeleton')}= the poses' own, of those with {num_joints}: "
                f"{', '.join(fitting) or 'none'}"
            )
        return skeleton

    def _embedding(self, channels: int, size: tuple[int, int, int]) -> SpatialEmbedding | None:
        if self.embedding == "none":
            return None
        _, height, width = size
        positions = height * width
        return SpatialEmbedding(channels * positions, positions, self.embedding)
