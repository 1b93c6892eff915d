"""SlowOnly for poses and for pictures: bottlenecks, of which the last two stages look along time.

Feichtenhofer et al., SlowFast, ICCV 2019: a ResNet-50 whose last two stages are inflated
(3 x 1 x 1 in place of their first 1 x 1), without strides along time. Duan et al.,
PoseConv3D, CVPR 2022, table 11, adapt it to poses: half as wide, without its first stage
and without strides before the stages. Where that table is silent, as in the published
code: a maximum over 3 x 3 pixels after the first convolution, and the last stage halves
time (with all frames kept there, it would be 17.0 G multiply-accumulates, not the paper's
15.9). Their table 12 keeps all frames of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

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
_COLOURS = 3


def slowonly(
    in_channels: int,
    base: int,
    blocks: Sequence[int],
    *,
    time_stride: int = 2,
    joined: Mapping[int, int] | None = None,
) -> Backbone:
    """(B, in_channels, T, H, W) to (B, 4 base 2^(S-1), T/2, H/2^S, W/2^S), of S stages.

    Args:
        base: channels of the first convolution; each stage but the first doubles them.
        blocks: bottlenecks of each stage.
        time_stride: of the last stage.
        joined: channels that are appended to what a stage reads, by the stage's index.
    """
    strides = [(1, 2, 2)] * (len(blocks) - 1) + [(time_stride, 2, 2)]
    return _backbone(_stem(in_channels, base, stride=1), base, blocks, strides, joined or {})


def slowonly_r50(
    base: int = 64,
    blocks: Sequence[int] = (3, 4, 6, 3),
    *,
    joined: Mapping[int, int] | None = None,
) -> Backbone:
    """Pictures (B, 3, T, H, W) to (B, 4 base 2^(S-1), T, H/2^(S+1), W/2^(S+1)), of S stages.

    With the published four stages that are 2048 channels of 7 x 7 px for 224 x 224.

    Args:
        base: channels of the first convolution; each stage but the first doubles them.
        blocks: bottlenecks of each stage.
        joined: as of `slowonly`.
    """
    strides = [(1, 1, 1)] + [(1, 2, 2)] * (len(blocks) - 1)
    return _backbone(_stem(_COLOURS, base, stride=2), base, blocks, strides, joined or {})


def stage_channels(base: int, num_stages: int) -> list[int]:
    """Of the features at each stage's end."""
    return [_EXPANSION * base * 2**stage for stage in range(num_stages)]


def stage_ends(blocks: Sequence[int]) -> list[int]:
    """How many layers of a backbone of this file come before each stage's end."""
    first = len(_stem(1, 1, stride=1))
    return [first + number for number in accumulate(blocks)]


def _stem(in_channels: int, base: int, stride: int) -> list[nn.Module]:
    pool = nn.MaxPool3d((1, 3, 3), (1, stride, stride), padding=(0, 1, 1))
    return [*activated(convolution(in_channels, base, (1, 7, 7), (1, stride, stride))), pool]


def _backbone(
    stem: list[nn.Module],
    base: int,
    blocks: Sequence[int],
    strides: Sequence[Size],
    joined: Mapping[int, int],
) -> Backbone:
    layers, channels = list(stem), base
    stages = zip(blocks, strides, stage_channels(base, len(blocks)), strict=True)
    for stage, (num_blocks, stride, out_channels) in enumerate(stages):
        over_time = len(blocks) - stage <= _STAGES_OVER_TIME
        channels += joined.get(stage, 0)
        for block in range(num_blocks):
            block_stride = stride if block == 0 else (1, 1, 1)
            layers.append(_bottleneck(channels, out_channels, block_stride, over_time))
            channels = out_channels
    return Backbone(*layers, out_channels=channels)


def _bottleneck(in_channels: int, out_channels: int, stride: Size, over_time: bool) -> Residual:
    width = out_channels // _EXPANSION
    hidden = [
        *activated(convolution(in_channels, width, (3 if over_time else 1, 1, 1))),
        *activated(convolution(width, width, (1, 3, 3), stride)),
    ]
    last = convolution(width, out_channels, (1, 1, 1))
    return Residual(hidden, last, projection(in_channels, out_channels, stride))
