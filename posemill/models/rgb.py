"""Networks over pictures alone: what a model of pictures and poses is compared with.

I3D (Carreira and Zisserman, CVPR 2017), SlowOnly (Feichtenhofer et al., ICCV 2019), 3-D
ResNeXt-101 (Hara et al., CVPR 2018), and TSN (Wang et al., ECCV 2016), which is BN-Inception
frame by frame. Each averages its features over time and pixels and classifies the mean;
that is TSN's mean of its frames' logits, too, as the classifier is linear. I3D's published
code averages pairs of frames before time, so that its first and last frames count half.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.backbones.video import VideoBackbone, VideoBackboneName, video_backbone
from posemill.models.base import LOGITS, Model, PoseNetwork, ViewShapes, view_shape
from posemill.settings import setting

_COLOURS = 3


@dataclass(frozen=True)
class RgbModel(Model):
    """A backbone over `frames` (T, H, W, 3) of any number and size, a mean, and a classifier.

    Of recipes that have poses as well it reads the pictures only.
    """

    name: ClassVar[str] = "rgb"
    recipes: ClassVar[tuple[str, ...]] = ("rgb-clip", "rgbpose", "vpn-crops", "parnet-frames")

    backbone: VideoBackboneName = setting(
        "slowonly-r50", "over videos, but bn-inception, which is over single frames"
    )
    width: float = setting(1.0, "times the published channels of each layer", low=0.01, high=4.0)
    dropout: float = setting(0.5, "before the classifier", low=0.0, high=0.95)

    def network(self, shapes: ViewShapes, num_classes: int) -> RgbNetwork:
        dims = ("time", "y", "x", "colour")
        time, height, width, colours = view_shape(self, shapes, "frames", dims)
        if colours != _COLOURS:
            raise InputError(
                f"the model {self.name} takes frames of {_COLOURS} colours, and those of a view "
                f"have {colours}; use features of the recipe {' or '.join(self.recipes)}"
            )
        backbone = video_backbone(self.backbone, self.width)
        backbone.feature_shape((time, height, width))
        return RgbNetwork(backbone, num_classes, self.dropout)


class RgbNetwork(PoseNetwork):
    """A backbone, the mean over time and pixels, a dropout and a classifier."""

    def __init__(self, backbone: VideoBackbone, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.features = backbone
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(backbone.out_channels, num_classes)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits of `frames` (B, T, H, W, 3) in 0..255."""
        features: Tensor = self.features(values["frames"])  # (B, C, T', h, w)
        return {LOGITS: self.classifier(self.dropout(features.mean(dim=(2, 3, 4))))}
