"""RGBPose-Conv3D's layers: two pathways, what they tell each other, and two classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from posemill.models.backbones.layers3d import Backbone
from posemill.models.backbones.slowonly import slowonly, slowonly_r50, stage_channels, stage_ends
from posemill.models.base import LOGITS, PoseNetwork
from posemill.models.late_fusion import mean_answer
from posemill.models.losses import classification_loss
from posemill.models.pictures import Colours3d
from posemill.models.rgbpose.lateral import Direction, Lateral, told_channels

RGB_LOGITS = "logits/rgb"
"""Of the pictures' pathway alone (B, M)."""
POSE_LOGITS = "logits/pose"
"""Of the poses' pathway alone (B, M)."""
RGB_BLOCKS = (3, 4, 6, 3)
"""Of res2 to res5, as published."""
POSE_BLOCKS = (4, 6, 3)
"""Of res3 to res5, as published."""


@dataclass(frozen=True, slots=True)
class Pathway:
    """How wide and how deep one of the two is."""

    base: int
    """Channels of the first convolution."""
    blocks: tuple[int, ...]
    """Of each stage: four of the pictures, three of the poses, which lack res2."""


class RgbPoseNetwork(PoseNetwork):
    """Pictures and poses, each in a pathway of its own; they meet after res3 and after res4.

    Args:
        num_joints: channels of the poses' volume.
        ratio: frames of poses for each picture.
        dropout: before each classifier.
    """

    classifier: nn.ModuleDict

    def __init__(
        self,
        num_joints: int,
        num_classes: int,
        rgb: Pathway,
        pose: Pathway,
        *,
        lateral: Direction,
        ratio: int,
        dropout: float,
    ) -> None:
        super().__init__()
        pose_channels = stage_channels(pose.base, len(pose.blocks))[:-1]
        rgb_told, pose_told = _told(lateral, pose_channels)
        self.colours = Colours3d()
        self.rgb = slowonly_r50(rgb.base, rgb.blocks, joined=rgb_told)
        self.pose = slowonly(num_joints, pose.base, pose.blocks, time_stride=1, joined=pose_told)
        rgb_channels = stage_channels(rgb.base, len(rgb.blocks))[1:-1]
        self.laterals = nn.ModuleList(
            Lateral(lateral, *channels, ratio)
            for channels in zip(rgb_channels, pose_channels, strict=True)
        )
        self._parts = _parts(rgb.blocks, pose.blocks)
        self.told_inputs = {
            **_first_weights("rgb", stage_ends(rgb.blocks), rgb_told),
            **_first_weights("pose", stage_ends(pose.blocks), pose_told),
        }
        """Input channels that are the other pathway's, the last ones, by the weights' names."""
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.ModuleDict(
            {
                "rgb": _head(self.rgb.out_channels, num_classes),
                "pose": _head(self.pose.out_channels, num_classes),
            }
        )

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits of `frames` (B, T, H, W, 3) with `volume` (B, K, ratio T, H/4, W/4).

        `RGB_LOGITS` and `POSE_LOGITS` are the pathways' own. `LOGITS` are those whose
        softmax is the mean of both softmaxes (section 4.3, the late fusion of scores).
        """
        rgb, pose = self._features(self.colours(values["frames"]), values["volume"])
        rgb_logits = self.classifier["rgb"](self.dropout(rgb.mean(dim=(2, 3, 4))))
        pose_logits = self.classifier["pose"](self.dropout(pose.mean(dim=(2, 3, 4))))
        return {
            LOGITS: mean_answer([rgb_logits, pose_logits]),
            RGB_LOGITS: rgb_logits,
            POSE_LOGITS: pose_logits,
        }

    def loss(self, outputs: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """The sum of the pathways' own losses: of a single one they overfit (section C.2)."""
        rgb = classification_loss(outputs[RGB_LOGITS], labels)
        return rgb + classification_loss(outputs[POSE_LOGITS], labels)

    def _features(self, rgb: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T, h, w) and (B, D, ratio T, h, w), after res5."""
        for number, (rgb_part, pose_part) in enumerate(self._parts):
            if number > 0:
                rgb, pose = self.laterals[number - 1](rgb, pose)
            rgb, pose = _through(self.rgb, rgb_part, rgb), _through(self.pose, pose_part, pose)
        return rgb, pose


def _told(lateral: Direction, pose_channels: list[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Channels that stages of the pictures and of the poses read beside their own, by stage."""
    each = [told_channels(lateral, channels) for channels in pose_channels]
    rgb = {stage: channels for stage, (channels, _) in enumerate(each, 2) if channels}
    return rgb, {stage: channels for stage, (_, channels) in enumerate(each, 1) if channels}


def _first_weights(pathway: str, ends: list[int], told: dict[int, int]) -> dict[str, int]:
    """Of the layers that read what is told: the first block's branch and its shortcut."""
    return {
        f"{pathway}.{ends[stage - 1]}.{way}.0.weight": channels
        for stage, channels in told.items()
        for way in ("branch", "shortcut")
    }


def _parts(rgb_blocks: tuple[int, ...], pose_blocks: tuple[int, ...]) -> list[tuple[range, range]]:
    """Numbers of the layers of both up to res3, of res4 and of res5."""
    ends = stage_ends(rgb_blocks)[1:], stage_ends(pose_blocks)
    rgb, pose = ([range(*each) for each in pairwise([0, *one])] for one in ends)
    return list(zip(rgb, pose, strict=True))


def _through(backbone: Backbone, layers: range, maps: Tensor) -> Tensor:
    for number in layers:
        maps = backbone[number](maps)
    return maps


def _head(in_channels: int, num_classes: int) -> nn.Linear:
    head = nn.Linear(in_channels, num_classes)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    return head
