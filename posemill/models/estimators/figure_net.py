"""The network of the `figure` estimator: a small fully convolutional pose network.

Joint heatmaps and part fields are those of part affinity fields (Cao et al.,
"Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", CVPR
2017) on 18 limbs; the top-down path with additive laterals is that
of feature pyramids (Lin et al., CVPR 2017). About 204,000 parameters.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from torch import Tensor, nn
from torch.nn import functional as F

from posemill.models.estimators.figure_fields import FIELD_LIMBS, NUM_JOINTS, STRIDE

WIDTHS = (16, 32, 48, 64)  # at strides 2, 4, 8, 16
FEATURE_STRIDE = 16


class FigureOutput(NamedTuple):
    """Maps of a batch, at stride 4 but for the features."""

    heatmaps: Tensor  # (B, 17, H / 4, W / 4)
    fields: Tensor  # (B, 36, H / 4, W / 4), x and y of each limb
    features: Tensor  # (B, 64, H / 16, W / 16)


def _unit(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """Adds one more unit to its input."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.unit = _unit(width, width, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.unit(x))


class FigureNet(nn.Module):
    """RGB pictures (B, 3, H, W) in [0, 1], H and W multiples of 16, to a `FigureOutput`."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth, deep = WIDTHS
        self.stem = nn.Sequential(_unit(3, half, 2), _unit(half, quarter, 2))
        self.quarter = _Residual(quarter)
        self.eighth = nn.Sequential(_unit(quarter, eighth, 2), _Residual(eighth))
        self.deep = nn.Sequential(
            _unit(eighth, deep, 2), *(_Residual(deep, dilation) for dilation in (1, 2, 4))
        )
        self.deep_to_eighth = nn.Conv2d(deep, eighth, 1)
        self.eighth_to_quarter = nn.Conv2d(eighth, quarter, 1)
        self.merge = _Residual(quarter)
        self.head = nn.Conv2d(quarter, NUM_JOINTS + 2 * len(FIELD_LIMBS), 1)

    def forward(self, pictures: Tensor) -> FigureOutput:
        quarter = self.quarter(self.stem(pictures - 0.5))
        eighth = self.eighth(quarter)
        features = self.deep(eighth)
        eighth = eighth + _twice(self.deep_to_eighth(features))
        merged = self.merge(quarter + _twice(self.eighth_to_quarter(eighth)))
        maps = self.head(merged)
        return FigureOutput(maps[:, :NUM_JOINTS], maps[:, NUM_JOINTS:], features)


def _twice(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)


__all__ = ["FEATURE_STRIDE", "STRIDE", "FigureNet", "FigureOutput"]
