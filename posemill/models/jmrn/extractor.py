"""What finds the motion in each joint's maps (table 9), shared by all joints or one for each."""

from __future__ import annotations

from torch import Tensor, nn

from posemill.models.jmrn.layers import convolution


class SharedExtractor(nn.Module):
    """r (B, J, 2 width, H/4, W/4) of maps (B, J, C, H, W): four convolutions for every joint."""

    def __init__(self, in_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        wide = 2 * width
        self.layers = nn.Sequential(
            *convolution(in_channels, width, 3, stride=2, dropout=dropout),
            *convolution(width, width, 3, dropout=dropout),
            *convolution(width, wide, 3, stride=2, dropout=dropout),
            *convolution(wide, wide, 3, dropout=dropout),
        )

    def forward(self, maps: Tensor) -> Tensor:
        r: Tensor = self.layers(maps.flatten(0, 1))  # (B J, 2 width, H/4, W/4)
        return r.reshape(*maps.shape[:2], *r.shape[1:])


class SeparateExtractors(nn.Module):
    """The non-Siamese network of table 8: as `SharedExtractor`, each joint with weights of its own.

    The paper makes them "shallower", "to maintain a similar number of parameters as
    the baseline", and gives no layers. Here they are the two strided convolutions
    alone, so that r keeps its size, with `separate_width` channels between them, for
    as many parameters as the network with a shared extractor; PoTion's 4.72 M cannot
    be meant, as JMRN without any extractor has 7.17 M. What follows r stays shared.
    """

    def __init__(self, num_joints: int, in_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        between = num_joints * separate_width(num_joints, in_channels, width)
        ends = num_joints * in_channels, num_joints * 2 * width
        self.layers = nn.Sequential(
            *convolution(ends[0], between, 3, stride=2, groups=num_joints, dropout=dropout),
            *convolution(between, ends[1], 3, stride=2, groups=num_joints, dropout=dropout),
        )

    def forward(self, maps: Tensor) -> Tensor:
        r: Tensor = self.layers(maps.flatten(1, 2))  # (B, J 2 width, H/4, W/4)
        return r.reshape(*maps.shape[:2], -1, *r.shape[2:])


def separate_width(num_joints: int, in_channels: int, width: int) -> int:
    """Channels a of a joint's own extractor that the shared one's parameters pay for.

    J (9 C a + a + 18 a width + 2 width) is at most what `SharedExtractor` has, or
    a is 1: 24 for 18 joints, 3 channels and a width of 128, .3% of JMRN fewer.
    """
    shared = 9 * width * (in_channels + width + 2 * width + 4 * width) + 6 * width
    each = shared // num_joints - 2 * width
    return max(each // (9 * in_channels + 1 + 18 * width), 1)
