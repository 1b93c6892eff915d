"""Pictures as recipes give them, colours last and 0 to 255, to what convolutions read."""

from __future__ import annotations

import torch
from torch import Tensor, nn

Colours = tuple[float, float, float]
"""Of red, green and blue."""

IMAGENET_MEAN: Colours = (123.675, 116.28, 103.53)
IMAGENET_STD: Colours = (58.395, 57.12, 57.375)


class Colours3d(nn.Module):
    """Frames (B, T, H, W, 3) of 0 to 255 to (B, 3, T, H, W), each colour shifted and scaled."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Colours = IMAGENET_MEAN, std: Colours = IMAGENET_STD) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("std", torch.tensor(std), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        return ((frames - self.mean) / self.std).permute(0, 4, 1, 2, 3)
