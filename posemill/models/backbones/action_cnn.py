"""The trunk of PoTion's network, which PA3D takes over as its action CNN.

Choutas et al., PoTion, CVPR 2018, section 4.2; Yan et al., PA3D, CVPR 2019, table 1.
"""

from __future__ import annotations

from torch import nn

MIN_SIZE_PX = 9
"""Least height and width: three strided convolutions leave 2 x 2, enough for a batch of one."""


def action_trunk(in_channels: int, width: int, dropout: float, depth: int = 2) -> nn.Sequential:
    """Maps (B, in_channels, H, W) to (B, 4 width, H/8, W/8).

    Three blocks of `depth` 3x3 convolutions, the first of them strided, `width`,
    2 `width` and 4 `width` channels wide, with a dropout after every convolution.
    """
    layers: list[nn.Module] = []
    for out_channels in (width, 2 * width, 4 * width):
        layers += _convolution(in_channels, out_channels, stride=2, dropout=dropout)
        for _ in range(depth - 1):
            layers += _convolution(out_channels, out_channels, stride=1, dropout=dropout)
        in_channels = out_channels
    return nn.Sequential(*layers)


def _convolution(
    in_channels: int, out_channels: int, stride: int, dropout: float
) -> list[nn.Module]:
    # No bias: the batch normalisation that follows has its own.
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    nn.init.xavier_uniform_(convolution.weight)
    layers = [convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
    return [*layers, nn.Dropout(dropout)]
