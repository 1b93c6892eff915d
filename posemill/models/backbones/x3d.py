"""X3D for pose volumes: inverted bottlenecks with one filter a channel, all frames kept.

Feichtenhofer, X3D, CVPR 2020, as Duan et al., PoseConv3D, CVPR 2022, table 11, adapt
X3D-S: without its first stage; and as the published code has it, without
squeeze-and-excitation and with ReLU in place of swish.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from posemill.models.backbones.layers3d import (
    Backbone,
    Residual,
    Size,
    activated,
    convolution,
    projection,
)

_EXPANSION = 2.25


def x3d(in_channels: int, base: int, blocks: Sequence[int]) -> Backbone:
    """(B, in_channels, T, H, W) to (B, 2.25 base 2^(S-1), T, H/2^(S+1), W/2^(S+1)), of S stages.

    Args:
        base: channels of the first two convolutions and of the first stage; each stage
            doubles them.
        blocks: bottlenecks of each stage.
    """
    layers: list[nn.Module] = [convolution(in_channels, base, (1, 3, 3), (1, 2, 2))]
    layers += activated(convolution(base, base, (5, 1, 1), groups=base))
    channels = base
    for stage, num_blocks in enumerate(blocks):
        for block in range(num_blocks):
            stride = (1, 2, 2) if block == 0 else (1, 1, 1)
            layers.append(_bottleneck(channels, base * 2**stage, stride))
            channels = base * 2**stage
    width = int(_EXPANSION * channels)
    layers += activated(convolution(channels, width, (1, 1, 1)))
    return Backbone(*layers, out_channels=width)


def _bottleneck(in_channels: int, out_channels: int, stride: Size) -> Residual:
    width = int(_EXPANSION * out_channels)
    hidden = [
        *activated(convolution(in_channels, width, (1, 1, 1))),
        *activated(convolution(width, width, (3, 3, 3), stride, groups=width)),
    ]
    last = convolution(width, out_channels, (1, 1, 1))
    return Residual(hidden, last, projection(in_channels, out_channels, stride))
