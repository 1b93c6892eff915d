"""The smallest model of PoTion maps: a linear one, whose steps can be followed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from posemill.models.base import LOGITS, Model, PoseNetwork, ViewShapes
from posemill.settings import setting


class MeanNetwork(PoseNetwork):
    """A linear classifier of the means of U, whose logits are multiplied."""

    def __init__(self, size: int, num_classes: int, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.classifier = torch.nn.Linear(size, num_classes)

    def forward(self, values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        means = values["u"].mean(dim=(3, 4)).flatten(1)
        return {LOGITS: self.classifier(means) * self.factor}


@dataclass(frozen=True)
class MeanModel(Model):
    name: ClassVar[str] = "mean"
    recipes: ClassVar[tuple[str, ...]] = ("potion",)

    factor: float = setting(1.0, "of the logits")

    def network(self, shapes: ViewShapes, num_classes: int) -> PoseNetwork:
        joints, channels, _, _ = shapes["u"]
        return MeanNetwork(joints * channels, num_classes, self.factor)
