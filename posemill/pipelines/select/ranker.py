"""Trains a saliency ranker on features of clips, and ranks others with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from posemill.errors import ConfigurationMismatch, InputError
from posemill.models.saliency import RankingLoss, SaliencyRanker, ranking_loss
from posemill.pipelines.select.features import FeatureOrigin
from posemill.pipelines.select.histogram import PlaceHistogram
from posemill.pipelines.select.pairs import RankedClips
from posemill.schema import Float32


@dataclass(frozen=True, slots=True)
class RankerSettings:
    """How a ranker is built and trained; the paper gives none of it.

    Raises:
        InputError: a number out of its range, or an unknown loss.
    """

    hidden: int = 128
    dropout: float = 0.5
    loss: RankingLoss = "logistic"
    epochs: int = 50
    batch_size: int = 64
    """Clips: half of them oracle clips."""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    seed: int = 0
    """Of first weights, pairs and dropout."""

    def __post_init__(self) -> None:
        if self.loss not in get_args(RankingLoss):
            raise InputError(f"the loss must be logistic or margin, got {self.loss!r}")
        if min(self.hidden, self.epochs) < 1 or self.batch_size < 2 or self.batch_size % 2:
            raise InputError(
                "a ranker needs hidden units, epochs, and a batch of an even number of clips, got "
                f"{self.hidden}, {self.epochs} and {self.batch_size}"
            )
        if not (self.learning_rate > 0 and self.weight_decay >= 0 and 0 <= self.dropout < 1):
            raise InputError(
                "a ranker needs a learning rate above 0, a weight decay of 0 or more and a dropout "
                f"from 0 to below 1, got {self.learning_rate}, {self.weight_decay} and "
                f"{self.dropout}"
            )


@dataclass(frozen=True, eq=False)
class Ranker:
    """A trained one."""

    network: SaliencyRanker
    settings: RankerSettings
    origin: FeatureOrigin
    keep: int
    """K: how many clips of each training video were oracle clips."""
    histogram: PlaceHistogram

    def saliency(self, features: Float32) -> Float32:
        """(N,) of clips' features (N, D)."""
        with torch.inference_mode():
            saliency: Float32 = self.network.eval()(torch.from_numpy(features)).numpy()
        return saliency

    def require_origin(self, origin: FeatureOrigin, place: Path) -> None:
        """Raises:
        ConfigurationMismatch: the ranker at `place` was trained on features of another network.
        """
        if origin != self.origin:
            raise ConfigurationMismatch(
                f"{place} was trained on features of another network: {self.origin.as_dict()}, "
                f"and is given {origin.as_dict()}; give the run and weights that it was trained "
                "with, or train a ranker on these features"
            )


def train_network(
    features: Float32, clips: RankedClips, settings: RankerSettings
) -> SaliencyRanker:
    """A ranker of features (N, D), of pairs that each epoch draws anew.

    Raises:
        InputError: no video has an oracle clip and another one, or the loss became infinite.
    """
    if not len(clips):
        raise InputError(
            "no video has more clips than are kept, so that nothing tells which to keep; keep "
            "fewer, or cut shorter clips or at a smaller stride"
        )
    values = torch.from_numpy(features)
    torch.manual_seed(settings.seed)
    network = SaliencyRanker(features.shape[1], settings.hidden, settings.dropout)
    network.scale_like(values[np.concatenate([*clips.oracle, *clips.others])])
    optimizer = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    rng = np.random.default_rng(settings.seed)
    for _ in range(settings.epochs):
        for pairs in torch.split(torch.from_numpy(clips.draw(rng)), settings.batch_size // 2):
            _step(network, optimizer, values[pairs.flatten()], settings.loss)
    if not all(bool(weight.isfinite().all()) for weight in network.parameters()):
        raise InputError(
            f"the ranker's weights became infinite with a learning rate of "
            f"{settings.learning_rate}; lower it"
        )
    return network


def _step(
    network: SaliencyRanker, optimizer: torch.optim.Optimizer, features: Tensor, kind: RankingLoss
) -> None:
    """Of a batch (2 P, D) of pairs, the oracle clip first in each."""
    optimizer.zero_grad()
    better, other = network.train()(features).reshape(-1, 2).unbind(dim=1)
    ranking_loss(better, other, kind).backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def share_in_order(saliency: Float32, clips: RankedClips) -> float:
    """Of all pairs of an oracle clip and another of its video, those in the right order.

    The mean over videos; two of equal saliency count half.
    """
    shares = [
        float(np.mean(np.sign(saliency[best][:, None] - saliency[rest]) / 2 + 0.5))
        for best, rest in zip(clips.oracle, clips.others, strict=True)
    ]
    return float(np.mean(shares))
