"""SlowOnly for pose volumes: bottlenecks, of which the last two stages look along time.

Feichtenhofer et al., SlowFast, ICCV 2019, as Duan et al., PoseConv3D, CVPR 2022,
table 11, adapt it: half as wide, without its first stage and without strides before
the stages. Where that table is silent, as in the published code: a maximum over 3 x 3
pixels after the first convolution, and the last stage halves time (with all frames
kept there, it would be 17.0 G multiply-accumulates, not the paper's 15.9).
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

_EXPANSION = 4
_STAGES_OVER_TIME = 2


def slowonly(in_channels: int, base: int, blocks: Sequence[int]) -> Backbone:
    """(B, in_channels, T, H, W) to (B, 4 base 2^(S-1), T/2, H/2^S, W/2^S), of S stages.

    Args:
        base: channels of the first convolution; each stage doubles them.
        blocks: bottlenecks of each stage.
    """
    layers = activated(convolution(in_channels, base, (1, 7, 7)))
    layers.append(nn.MaxPool3d((1, 3, 3), stride=1, padding=(0, 1, 1)))
    channels = base
    for stage, num_blocks in enumerate(blocks):
        left = len(blocks) - stage
        stride = (2 if left == 1 else 1, 2, 2)
        for block in range(num_blocks):
            block_stride = stride if block == 0 else (1, 1, 1)
            over_time = left <= _STAGES_OVER_TIME
            layers.append(_bottleneck(channels, base * 2**stage, block_stride, over_time))
            channels = _EXPANSION * base * 2**stage
    return Backbone(*layers, out_channels=channels)


def _bottleneck(in_channels: int, width: int, stride: Size, over_time: bool) -> Residual:
    out_channels = _EXPANSION * width
    hidden = [
        *activated(convolution(in_channels, width, (3 if over_time else 1, 1, 1))),
        *activated(convolution(width, width, (1, 3, 3), stride)),
    ]
    last = convolution(width, out_channels, (1, 1, 1))
    return Residual(hidden, last, projection(in_channels, out_channels, stride))
