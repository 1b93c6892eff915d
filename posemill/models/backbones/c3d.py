"""C3D for pose volumes: plain 3 x 3 x 3 convolutions that keep every frame.

Tran et al., C3D, ICCV 2015, as Duan et al., PoseConv3D, CVPR 2022, table 11, adapt
it: half as wide, over pixels alone pooled, and not before the last two layers. The
pooling takes the maximum, as the table has it; the published code takes the mean.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from posemill.models.backbones.layers3d import Backbone, activated, convolution

_NUM_POOLS = 3
_MOST_TIMES_WIDER = 8


def c3d(in_channels: int, base: int, blocks: Sequence[int]) -> Backbone:
    """(B, in_channels, T, H, W) to (B, at most 8 base, T, H/8, W/8).

    Args:
        base: channels of the first stage; each of the next three doubles them.
        blocks: convolutions of each stage.
    """
    layers: list[nn.Module] = []
    channels = in_channels
    for stage, num_layers in enumerate(blocks):
        if 1 <= stage <= _NUM_POOLS:
            layers.append(nn.MaxPool3d((1, 2, 2)))
        width = base * min(2**stage, _MOST_TIMES_WIDER)
        for _ in range(num_layers):
            layers += activated(convolution(channels, width, (3, 3, 3)))
            channels = width
    return Backbone(*layers, out_channels=channels)
