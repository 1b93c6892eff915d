"""Layers of networks over volumes (B, C, T, H, W), initialised as PoseConv3D's code does it."""

from __future__ import annotations

from torch import Tensor, nn

Size = tuple[int, int, int]
"""Along time, y and x."""


class Backbone(nn.Sequential):
    """Volumes (B, C, T, H, W) to features (B, `out_channels`, T', H', W')."""

    def __init__(self, *layers: nn.Module, out_channels: int) -> None:
        super().__init__(*layers)
        self.out_channels = out_channels


class Residual(nn.Module):
    """ReLU of a branch plus a shortcut; at first the branch is nothing.

    The scale of its last normalisation, which follows `last`, starts at zero.
    """

    def __init__(self, hidden: list[nn.Module], last: nn.Conv3d, shortcut: nn.Module) -> None:
        super().__init__()
        norm = nn.BatchNorm3d(last.out_channels)
        nn.init.zeros_(norm.weight)
        self.branch = nn.Sequential(*hidden, last, norm)
        self.shortcut = shortcut
        self.relu = nn.ReLU(inplace=True)

    def forward(self, volume: Tensor) -> Tensor:
        activated: Tensor = self.relu(self.branch(volume) + self.shortcut(volume))
        return activated


def convolution(
    in_channels: int, out_channels: int, kernel: Size, stride: Size = (1, 1, 1), groups: int = 1
) -> nn.Conv3d:
    """A convolution with zeros around, so that only its stride makes volumes smaller.

    It has no bias, as a normalisation follows somewhere, which has its own.
    """
    time, y, x = kernel
    padding = (time // 2, y // 2, x // 2)
    made = nn.Conv3d(
        in_channels, out_channels, kernel, stride, padding=padding, groups=groups, bias=False
    )
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    return made


def activated(made: nn.Conv3d) -> list[nn.Module]:
    """A convolution, its batch normalisation and ReLU."""
    return [made, nn.BatchNorm3d(made.out_channels), nn.ReLU(inplace=True)]


def projection(in_channels: int, out_channels: int, stride: Size) -> nn.Module:
    """The shortcut around a block: nothing where sizes stay."""
    if in_channels == out_channels and stride == (1, 1, 1):
        return nn.Identity()
    made = convolution(in_channels, out_channels, (1, 1, 1), stride)
    return nn.Sequential(made, nn.BatchNorm3d(out_channels))
