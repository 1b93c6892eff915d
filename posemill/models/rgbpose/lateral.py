"""What two pathways tell each other after a stage: channels that the next stage reads as well.

Duan et al., PoseConv3D, CVPR 2022, section C.2, and the published code for what it leaves
open: a kernel of 7 frames, strided by as many frames of poses as there are for a picture;
poses to pictures a plain convolution that keeps its channels; pictures to poses a
transposed one to a quarter of the poses' channels, then a normalisation and a ReLU.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from posemill.models.backbones.layers3d import convolution

Direction = Literal["both", "rgb-to-pose", "pose-to-rgb", "none"]
"""Of the rows of table 6; none is late fusion alone."""

_FRAMES = 7
_SHARE_OF_POSE = 4
"""Of the poses' channels for each that pictures tell them."""


class Lateral(nn.Module):
    """Each pathway's maps after a stage, with what the other tells it appended.

    Args:
        rgb_channels: of the pictures' pathway here.
        pose_channels: of the poses' pathway here.
        ratio: frames of poses for each picture.
    """

    def __init__(
        self, direction: Direction, rgb_channels: int, pose_channels: int, ratio: int
    ) -> None:
        super().__init__()
        to_pose_channels = told_channels(direction, pose_channels)[1]
        self.to_rgb = _to_rgb(pose_channels, ratio) if tells_rgb(direction) else None
        self.to_pose = (
            _to_pose(rgb_channels, to_pose_channels, ratio) if tells_pose(direction) else None
        )

    def forward(self, rgb: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        """Of (B, C, T, H, W) and (B, D, ratio T, H, W), the same with more channels."""
        return _joined(rgb, self.to_rgb, pose), _joined(pose, self.to_pose, rgb)


def tells_rgb(direction: Direction) -> bool:
    """Whether poses are told to pictures."""
    return direction in ("both", "pose-to-rgb")


def tells_pose(direction: Direction) -> bool:
    """Whether pictures are told to poses."""
    return direction in ("both", "rgb-to-pose")


def told_channels(direction: Direction, pose_channels: int) -> tuple[int, int]:
    """Channels appended to the pictures' maps and to the poses', which have `pose_channels`."""
    to_rgb = pose_channels if tells_rgb(direction) else 0
    return to_rgb, pose_channels // _SHARE_OF_POSE if tells_pose(direction) else 0


def _joined(own: Tensor, told: nn.Module | None, other: Tensor) -> Tensor:
    return own if told is None else torch.cat([own, told(other)], dim=1)


def _to_rgb(channels: int, ratio: int) -> nn.Module:
    """(B, D, ratio T, H, W) to (B, D, T, H, W)."""
    return convolution(channels, channels, (_FRAMES, 1, 1), (ratio, 1, 1))


def _to_pose(in_channels: int, out_channels: int, ratio: int) -> nn.Module:
    """(B, C, T, H, W) to (B, D / 4, ratio T, H, W)."""
    made = nn.ConvTranspose3d(
        in_channels,
        out_channels,
        (_FRAMES, 1, 1),
        (ratio, 1, 1),
        padding=(_FRAMES // 2, 0, 0),
        output_padding=(ratio - 1, 0, 0),
        bias=False,
    )
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(made, nn.BatchNorm3d(out_channels), nn.ReLU(inplace=True))
