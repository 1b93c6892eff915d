"""The PoTion network: six convolutions over images of joint motion.

Choutas, Weinzaepfel, Revaud, Schmid: "PoTion: Pose MoTion Representation for
Action Recognition", CVPR 2018, section 4.2. Its input stacks, for each of J
joints and C time channels, the coloured maps U, the intensity I = sum_c U and
the normalised maps N = U / (I + 1) (equations 2 to 5 there): J (2C + 1) planes.
Duan et al., "Revisiting Skeleton-based Action Recognition", CVPR 2022,
table 10, count 4.75 M parameters and 0.60 G multiply-accumulates for J = 17,
C = 4 on 56 x 56 pixels, which this network has without its classifier.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPSILON = 1.0  # of N = U / (I + epsilon), PoTion's equation 5


def potion_channels(num_keypoints: int, num_time_channels: int) -> int:
    """J (2C + 1): how many planes `potion_planes` stacks."""
    return num_keypoints * (2 * num_time_channels + 1)


def potion_planes(u: Tensor) -> Tensor:
    """U ‖ I ‖ N, (B, J (2C + 1), H, W), from the coloured maps U, (B, J, C, H, W) in [0, 1].

    It runs on the device of `u`, so that only U travels there.
    """
    intensity = u.sum(dim=2, keepdim=True)  # (B, J, 1, H, W)
    normalised = u / (intensity + EPSILON)  # (B, J, C, H, W)
    return torch.cat([u.flatten(1, 2), intensity.flatten(1, 2), normalised.flatten(1, 2)], dim=1)


class PotionCNN(nn.Module):
    """Three blocks of a strided and a plain 3x3 convolution, then an average and a classifier.

    Raises:
        ValueError: a size below 1, or a dropout outside [0, 1).
    """

    def __init__(
        self, in_channels: int, num_classes: int, width: int = 128, dropout: float = 0.25
    ) -> None:
        super().__init__()
        if min(in_channels, num_classes, width) < 1 or not 0.0 <= dropout < 1.0:
            raise ValueError(
                "sizes must be at least 1 and dropout in [0, 1), got "
                f"{in_channels=}, {num_classes=}, {width=}, {dropout=}"
            )
        layers: list[nn.Module] = []
        for out_channels in (width, 2 * width, 4 * width):
            layers += _convolution(in_channels, out_channels, stride=2, dropout=dropout)
            layers += _convolution(out_channels, out_channels, stride=1, dropout=dropout)
            in_channels = out_channels
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(in_channels, num_classes)
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, planes: Tensor) -> Tensor:
        """Logits (B, num_classes) of planes (B, in_channels, H, W)."""
        maps: Tensor = self.features(planes)  # (B, 4 width, H/8, W/8)
        logits: Tensor = self.classifier(maps.mean(dim=(2, 3)))
        return logits


def _convolution(
    in_channels: int, out_channels: int, stride: int, dropout: float
) -> list[nn.Module]:
    # No bias: the batch normalisation that follows has its own.
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    nn.init.xavier_uniform_(convolution.weight)
    layers = [convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
    return [*layers, nn.Dropout(dropout)]
