"""The two maps that PARNet reads of every frame (section III-D)."""

from __future__ import annotations

from torch import Tensor, nn

from posemill.models.backbones.bn_inception import BN_INCEPTION_MEAN, BnInception
from posemill.models.pictures import Colours3d


class FrameMaps(nn.Module):
    """Frames (B, T, H, W, 3) in 0..255 to F_4e (B, T, C, h, w) and F_5b (B, T, C', h', w').

    Of 224 x 224 pixels and the published width they are 256 x 14 x 14 and 1024 x 7 x 7.

    Args:
        width: times the published channels of every layer.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        self.colours = Colours3d(BN_INCEPTION_MEAN, (1.0, 1.0, 1.0))
        self.backbone = BnInception(width)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        pictures = self.colours(frames).transpose(1, 2).flatten(0, 1)  # (B T, 3, H, W)
        middle, last = self.backbone(pictures)
        return middle.unflatten(0, frames.shape[:2]), last.unflatten(0, frames.shape[:2])
