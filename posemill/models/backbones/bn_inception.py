"""BN-Inception over single pictures: Inception with batch normalisation.

Ioffe and Szegedy, "Batch Normalization", ICML 2015, figure 5, with the channels and
poolings of the public Caffe release and its PyTorch conversions, which is what PARNet and
others train: inception-4e gives 1056 channels, and convolutions have biases although a
normalisation follows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from posemill.models.backbones.inception import Branches, same_max_pool, scaled, unit
from posemill.models.pictures import Colours

_EPS = 1e-5
BN_INCEPTION_MEAN: Colours = (128.0, 117.0, 104.0)
"""What the published weights expect to be subtracted from pictures, and no more."""
_BLOCKS = {
    # of 1x1; 3x3 and its reduction before it; the double 3x3 and its reduction; after the
    # pooling. Blocks that halve the maps have neither the first nor the last.
    "inception_3a": (64, 64, 64, 64, 96, 32),
    "inception_3b": (64, 64, 96, 64, 96, 64),
    "inception_3c": (0, 128, 160, 64, 96, 0),
    "inception_4a": (224, 64, 96, 96, 128, 128),
    "inception_4b": (192, 96, 128, 96, 128, 128),
    "inception_4c": (160, 128, 160, 128, 160, 128),
    "inception_4d": (96, 128, 192, 160, 192, 128),
    "inception_4e": (0, 128, 192, 192, 256, 0),
    "inception_5a": (352, 192, 320, 160, 224, 128),
    "inception_5b": (352, 192, 320, 192, 224, 128),
}
_EARLY, _LATE = list(_BLOCKS)[:-3], list(_BLOCKS)[-2:]
_MAX_POOLED = "inception_5b"


class BnInception(nn.Module):
    """Pictures (N, 3, H, W) less `BN_INCEPTION_MEAN` to two maps.

    The first, (N, `middle_channels`, H/16, W/16), is the last one of inception-4e before
    its stride: of the double 3 x 3 branch after its first 3 x 3, the only layer of the
    block of 14 x 14 pixels (of 224 x 224) and 256 channels, as PARNet has it (section
    III.D). The second is inception-5b, (N, `out_channels`, H/32, W/32): 1024 x 7 x 7.
    Sizes are rounded up.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.early, channels = _early(width)
        self.inception_4e, channels = _block(channels, "inception_4e", width)
        self.late, self.out_channels = _blocks(channels, _LATE, width)
        self.middle_channels = scaled(_BLOCKS["inception_4e"][4], width)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        maps, middle = self.inception_4e.watched(self.early(pictures), "double_3x3_1")
        return middle, self.late(maps)


class BnInceptionPerFrame(nn.Module):
    """Videos (B, 3, T, H, W) to inception-5b of every frame, (B, `out_channels`, T, H/32, W/32)."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.network = BnInception(width)
        self.out_channels = self.network.out_channels

    def forward(self, volume: Tensor) -> Tensor:
        frames = volume.transpose(1, 2).flatten(0, 1)  # (B T, 3, H, W)
        maps: Tensor = self.network(frames)[1]
        each = maps.reshape(len(volume), -1, *maps.shape[1:])  # (B, T, C, h, w)
        return each.transpose(1, 2)


def _early(width: float) -> tuple[nn.Sequential, int]:
    """What comes before inception-4e, and its output's channels."""
    first, second = scaled(64, width), scaled(192, width)
    blocks, channels = _blocks(second, _EARLY, width)
    layers: dict[str, nn.Module] = {
        "conv1_7x7_s2": _unit(3, first, 7, stride=2),
        "pool1_3x3_s2": same_max_pool((3, 3), (2, 2)),
        "conv2_3x3_reduce": _unit(first, first, 1),
        "conv2_3x3": _unit(first, second, 3),
        "pool2_3x3_s2": same_max_pool((3, 3), (2, 2)),
    }
    return nn.Sequential(OrderedDict(layers | dict(blocks.named_children()))), channels


def _blocks(in_channels: int, names: Sequence[str], width: float) -> tuple[nn.Sequential, int]:
    """Blocks one after another, and the last one's channels."""
    blocks, channels = nn.Sequential(), in_channels
    for name in names:
        block, channels = _block(channels, name, width)
        blocks.add_module(name, block)
    return blocks, channels


def _block(in_channels: int, name: str, width: float) -> tuple[Branches, int]:
    """A block and its output's channels."""
    widths = [scaled(each, width) if each else 0 for each in _BLOCKS[name]]
    one, reduce, three, double_reduce, double, projected = widths
    stride = 1 if one else 2
    branches: list[dict[str, nn.Module]] = [
        {
            "3x3_reduce": _unit(in_channels, reduce, 1),
            "3x3": _unit(reduce, three, 3, stride),
        },
        {
            "double_3x3_reduce": _unit(in_channels, double_reduce, 1),
            "double_3x3_1": _unit(double_reduce, double, 3),
            "double_3x3_2": _unit(double, double, 3, stride),
        },
    ]
    if stride == 2:
        # Caffe rounds its poolings up, which for even sizes is SAME; for odd ones, where
        # the convolutions beside it give one more, SAME fits them and Caffe's does not.
        pooled: dict[str, nn.Module] = {"pool": same_max_pool((3, 3), (2, 2))}
        return Branches(*branches, pooled), three + double + in_channels
    pool = nn.MaxPool2d if name == _MAX_POOLED else nn.AvgPool2d
    pooled = {"pool": pool(3, 1, padding=1), "pool_proj": _unit(in_channels, projected, 1)}
    made = Branches({"1x1": _unit(in_channels, one, 1)}, *branches, pooled)
    return made, one + three + double + projected


def _unit(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Module:
    return unit(nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2), _EPS)
