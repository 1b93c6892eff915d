"""Backbones over videos of pictures, by name: pixels in, features out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.backbones.bn_inception import BN_INCEPTION_MEAN, BnInceptionPerFrame
from posemill.models.backbones.i3d import I3d
from posemill.models.backbones.inception import scaled
from posemill.models.backbones.layers3d import Backbone, Size
from posemill.models.backbones.resnext3d import resnext101
from posemill.models.backbones.slowonly import slowonly_r50
from posemill.models.pictures import IMAGENET_MEAN, IMAGENET_STD, Colours, Colours3d

VideoBackboneName = Literal["bn-inception", "i3d", "resnext101", "slowonly-r50"]
Trunk = BnInceptionPerFrame | I3d | Backbone
"""Normalised volumes (B, 3, T, H, W) to features (B, `out_channels`, T', h, w)."""


@dataclass(frozen=True, slots=True)
class _Published:
    """What a backbone takes and how much smaller its features are."""

    build: Callable[[float], Trunk]
    """Of a width."""
    mean: Colours
    std: Colours
    stride: Size


_UNSCALED: Colours = (1.0, 1.0, 1.0)
_PUBLISHED: dict[str, _Published] = {
    # Each frame on its own, as TSN (Wang et al., ECCV 2016) takes it.
    "bn-inception": _Published(BnInceptionPerFrame, BN_INCEPTION_MEAN, _UNSCALED, (1, 32, 32)),
    # To [-1, 1], as the paper's networks were trained.
    "i3d": _Published(I3d, (127.5,) * 3, (127.5,) * 3, (8, 32, 32)),
    # The colours of ActivityNet, which the published code subtracts and no more.
    "resnext101": _Published(resnext101, (114.7748, 107.7354, 99.4750), _UNSCALED, (16, 32, 32)),
    "slowonly-r50": _Published(
        lambda width: slowonly_r50(scaled(64, width)), IMAGENET_MEAN, IMAGENET_STD, (1, 32, 32)
    ),
}


class VideoBackbone(nn.Module):
    """Frames (B, T, H, W, 3), red, green and blue in 0..255, to features (B, C, T', h, w)."""

    def __init__(self, trunk: Trunk, mean: Colours, std: Colours, stride: Size) -> None:
        super().__init__()
        self.trunk = trunk
        self.out_channels = trunk.out_channels
        self.stride = stride
        self.normalise = Colours3d(mean, std)

    def forward(self, frames: Tensor) -> Tensor:
        features: Tensor = self.trunk(self.normalise(frames))
        return features

    def feature_shape(self, shape_thw: Size) -> Size:
        """T', h and w of the features of T frames of H x W pixels.

        Raises:
            InputError: there are no pixels, or one feature in all, which a training
                batch of one video could not normalise.
        """
        time, y, x = (
            math.ceil(size / step) for size, step in zip(shape_thw, self.stride, strict=True)
        )
        if time * y * x < 2:
            raise InputError(
                f"{shape_thw[0]} frames of {shape_thw[1]} x {shape_thw[2]} px are too few for "
                f"this backbone, which makes one feature of {self.stride[0]} x "
                f"{self.stride[1]} x {self.stride[2]}; expected two features at least: take "
                "more frames, or larger ones"
            )
        return time, y, x


def video_backbone(name: VideoBackboneName, width: float = 1.0) -> VideoBackbone:
    """A published backbone, its weights drawn from torch's generator.

    Args:
        width: times the published channels of every layer.

    Raises:
        InputError: there is none of that name.
    """
    if name not in _PUBLISHED:
        raise InputError(
            f"no backbone over videos is called {name!r}; there are: "
            f"{', '.join(get_args(VideoBackboneName))}"
        )
    published = _PUBLISHED[name]
    trunk = published.build(width)
    return VideoBackbone(trunk, published.mean, published.std, published.stride)
