"""A convolution as JMRN uses it: with a bias, a ReLU and perhaps a dropout after it."""

from __future__ import annotations

from torch import nn


def convolution(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    dropout: float,
    stride: int = 1,
    groups: int = 1,
    normalise: bool = False,
) -> list[nn.Module]:
    """Layers that take maps (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride).

    The paper says nothing of the first weights: they are He's, which keep the size
    of values from layer to layer, as most of these layers have no normalisation.
    """
    layer = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    norm = [nn.BatchNorm2d(out_channels)] if normalise else []
    return [layer, *norm, nn.ReLU(inplace=True), *([nn.Dropout(dropout)] if dropout else [])]
