"""A ranker of clips by how well a classifier would tell what they show, of features of them.

Shah et al., "Pose and Joint-Aware Action Recognition", WACV 2022, supplement 12. It is
trained on two clips at a time, of which one is among those that the classifier knew best.
The paper gives neither layers nor loss: here it is one hidden layer over scaled
features, and the logistic loss of the difference, or one with a margin of 1.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

RankingLoss = Literal["logistic", "margin"]


class SaliencyRanker(nn.Module):
    """Saliency (N,) of clips' features (N, D), to be compared within a video.

    Args:
        num_features: D.
        hidden: units of the layer between.
        dropout: of that layer.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, num_features: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("deviation", torch.ones(num_features))
        self.layers = nn.Sequential(
            nn.Linear(num_features, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 1)
        )

    def scale_like(self, features: Tensor) -> None:
        """Scale from now on so that features like these (N, D) have mean 0 and deviation 1.

        One that is always the same is moved alone.
        """
        deviation = features.std(dim=0, correction=0)
        self.mean.copy_(features.mean(dim=0))
        self.deviation.copy_(torch.where(deviation > 0, deviation, 1.0))

    def forward(self, features: Tensor) -> Tensor:
        saliency: Tensor = self.layers((features - self.mean) / self.deviation)  # (N, 1)
        return saliency[:, 0]


def ranking_loss(better: Tensor, other: Tensor, kind: RankingLoss) -> Tensor:
    """Mean over P pairs of log(1 + exp(other - better)), or of max(0, 1 + other - better).

    Args:
        better: (P,) saliencies of the clips that should have the greater one.
        other: (P,) of those that they are compared with.
        kind: which of the two.
    """
    excess = other - better
    if kind == "logistic":
        return functional.softplus(excess).mean()
    return (1.0 + excess).relu().mean()
