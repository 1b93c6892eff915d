"""A network that answers by the mean of a backbone's features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from posemill.models.backbones.layers3d import Backbone
from posemill.models.backbones.video import VideoBackbone
from posemill.models.base import LOGITS, PoseNetwork


class PooledNetwork(PoseNetwork):
    """A backbone, the mean over time and pixels, a dropout and a classifier."""

    reads: ClassVar[str]
    """The array (B, ...) that the backbone takes."""

    def __init__(
        self, backbone: Backbone | VideoBackbone, num_classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.features = backbone
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(backbone.out_channels, num_classes)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits of the array that it reads."""
        features: Tensor = self.features(values[self.reads])  # (B, D, T', H', W')
        return {LOGITS: self.classifier(self.dropout(features.mean(dim=(2, 3, 4))))}
