"""3-D ResNeXt-101: bottlenecks whose cubes look at 32 groups of channels on their own.

Hara, Kataoka and Satoh, "Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and
ImageNet?", CVPR 2018, table 1 and section 3.3; Xie et al., CVPR 2017, for the groups. The
first layers are those of the published code: time is halved by the pooling, not before.
"""

from __future__ import annotations

from torch import nn

from posemill.models.backbones.inception import scaled
from posemill.models.backbones.layers3d import (
    Backbone,
    Residual,
    activated,
    convolution,
    projection,
)

_BLOCKS = (3, 4, 23, 3)
_CARDINALITY = 32
_GROUP = 4
"""Channels of each group in the first stage; each stage doubles them."""
_EXPANSION = 2


def resnext101(width: float = 1.0) -> Backbone:
    """Videos (B, 3, T, H, W) to (B, 2048, T/16, H/32, W/32), rounded up.

    Published clips are 16 frames of 112 x 112 pixels. Of another width there are more or
    fewer groups, each as wide as published.
    """
    groups, first = scaled(_CARDINALITY, width), scaled(64, width)
    layers = activated(convolution(3, first, (7, 7, 7), (1, 2, 2)))
    layers.append(nn.MaxPool3d(3, stride=2, padding=1))
    channels = first
    for stage, num_blocks in enumerate(_BLOCKS):
        for block in range(num_blocks):
            stride = 2 if stage and not block else 1
            inside = groups * _GROUP * 2**stage
            layers.append(_bottleneck(channels, inside, groups, stride))
            channels = _EXPANSION * inside
    return Backbone(*layers, out_channels=channels)


def _bottleneck(in_channels: int, inside: int, groups: int, stride: int) -> Residual:
    out_channels, strides = _EXPANSION * inside, (stride, stride, stride)
    hidden = [
        *activated(convolution(in_channels, inside, (1, 1, 1))),
        *activated(convolution(inside, inside, (3, 3, 3), strides, groups)),
    ]
    last = convolution(inside, out_channels, (1, 1, 1))
    return Residual(hidden, last, projection(in_channels, out_channels, strides))
