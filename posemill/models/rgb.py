"""Networks over pictures alone: what a model of pictures and poses is compared with.

I3D (Carreira and Zisserman, CVPR 2017), SlowOnly (Feichtenhofer et al., ICCV 2019), 3-D
ResNeXt-101 (Hara et al., CVPR 2018), and TSN (Wang et al., ECCV 2016), which is BN-Inception
frame by frame. Each averages its features over time and pixels and classifies the mean;
that is TSN's mean of its frames' logits, too, as the classifier is linear. I3D's published
code averages pairs of frames before time, so that its first and last frames count half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from posemill.errors import InputError
from posemill.models.backbones.video import VideoBackboneName, video_backbone
from posemill.models.base import Model, ViewShapes, view_shape
from posemill.models.pooled import PooledNetwork
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


class RgbNetwork(PooledNetwork):
    """Logits of `frames` (B, T, H, W, 3) in 0..255."""

    reads = "frames"
