"""I3D: Inception-v1 whose filters became cubes, up to Mixed_5c.

Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017, section 2.4 and
figure 3; channels as in GoogLeNet (Szegedy et al., CVPR 2015, table 1). Where these
are silent, as in the published code: all borders are TensorFlow's SAME, the second
branch's 5 x 5 filters are 3 x 3 x 3, and normalisations take an epsilon of 1e-3.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from posemill.models.backbones.inception import Branches, SamePad, same_max_pool, scaled, unit
from posemill.models.backbones.layers3d import Size

_EPS = 1e-3
_MIXED = {
    # of 1x1; 3x3 and its reduction before it; the second of these; after the pooling
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
_POOL_BEFORE: dict[str, tuple[str, Size, Size]] = {
    "Mixed_3b": ("MaxPool3d_3a_3x3", (1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ("MaxPool3d_4a_3x3", (3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ("MaxPool3d_5a_2x2", (2, 2, 2), (2, 2, 2)),
}


class I3d(nn.Sequential):
    """Videos (B, 3, T, H, W) in [-1, 1] to (B, `out_channels`, T/8, H/32, W/32), rounded up.

    Its layers have the names that the published code gives them. Of the published
    width, 64 frames of 224 x 224 pixels become 1024 x 8 x 7 x 7.
    """

    def __init__(self, width: float = 1.0) -> None:
        first, second = scaled(64, width), scaled(192, width)
        layers: dict[str, nn.Module] = {
            "Conv3d_1a_7x7": _strided(3, first, (7, 7, 7), (2, 2, 2)),
            "MaxPool3d_2a_3x3": same_max_pool((1, 3, 3), (1, 2, 2)),
            "Conv3d_2b_1x1": _unit(first, first, 1),
            "Conv3d_2c_3x3": _unit(first, second, 3),
        }
        channels = second
        for name, published in _MIXED.items():
            if name in _POOL_BEFORE:
                pool, kernel, stride = _POOL_BEFORE[name]
                layers[pool] = same_max_pool(kernel, stride)
            widths = [scaled(each, width) for each in published]
            layers[name] = _mixed(channels, widths)
            channels = widths[0] + widths[2] + widths[4] + widths[5]
        super().__init__(OrderedDict(layers))
        self.out_channels = channels


def _mixed(in_channels: int, widths: list[int]) -> Branches:
    one, reduce, three, second_reduce, second, projected = widths
    return Branches(
        {"1x1": _unit(in_channels, one, 1)},
        {"3x3_reduce": _unit(in_channels, reduce, 1), "3x3": _unit(reduce, three, 3)},
        {
            "second_3x3_reduce": _unit(in_channels, second_reduce, 1),
            "second_3x3": _unit(second_reduce, second, 3),
        },
        {
            "pool": nn.MaxPool3d(3, stride=1, padding=1),
            "pool_proj": _unit(in_channels, projected, 1),
        },
    )


def _unit(in_channels: int, out_channels: int, kernel: int) -> nn.Module:
    # Without a stride SAME is the same on both sides.
    made = nn.Conv3d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
    return unit(made, _EPS)


def _strided(in_channels: int, out_channels: int, kernel: Size, stride: Size) -> nn.Module:
    made = nn.Conv3d(in_channels, out_channels, kernel, stride, bias=False)
    return unit(made, _EPS, pad=SamePad(kernel, stride))
