"""VPN's network, put together from a video backbone, an attention network and an embedding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from posemill.models.base import LOGITS, PoseNetwork
from posemill.models.losses import classification_loss
from posemill.models.vpn.coupler import (
    LATENT,
    SPACE,
    SPACE_TIME,
    TIME,
    AttentionWeights,
    couple,
    modulate,
)
from posemill.models.vpn.embedding import SpatialEmbedding


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Of equation 5."""

    classes: float
    """lambda_1, and 1 - lambda_1 that of the embedding; without one lambda_1 is 1."""
    attention: float
    """lambda_2."""


class AttentionNetwork(nn.Module):
    """Poses to the weights by which the feature map is changed (figure 4, I).

    Args:
        pose_backbone: makes h*, and what there is to look at, of poses.
        weights: makes weights of h*.
        coupled: whether A_S and A_T become A_ST.
    """

    def __init__(
        self, pose_backbone: nn.Module, weights: AttentionWeights, *, coupled: bool
    ) -> None:
        super().__init__()
        self.pose_backbone = pose_backbone
        self.weights = weights
        self.coupled = coupled

    def forward(self, poses: Tensor) -> dict[str, Tensor]:
        """`LATENT`, and all named `ATTENTION`..., of poses (B, 3, K, t_p)."""
        h, looks = self.pose_backbone(poses)  # (B, 128)
        found = {**looks, **self.weights(h)}
        if self.coupled:
            found[SPACE_TIME] = couple(found[SPACE], found[TIME])
        return found


class VpnNetwork(PoseNetwork):
    """A feature map, changed as the poses have it, its mean and a classifier (figure 3).

    Args:
        backbone: makes f (B, channels, t_c, m, n) of frames (B, T, H, W, 3).
        attention: None for the backbone alone.
        embedding: None for none.
        channels: of f.
        num_maps: that `modulate` makes of f.
        dropout: before the classifier.
        weights: of the losses.
        num_classes: M.
    """

    def __init__(
        self,
        backbone: nn.Module,
        attention: AttentionNetwork | None,
        embedding: SpatialEmbedding | None,
        *,
        channels: int,
        num_maps: int,
        dropout: float,
        weights: LossWeights,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.features = backbone  # as the model rgb calls it, whose weights may be its first
        self.attention = attention
        self.embedding = embedding
        self.weights = weights
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(num_maps * channels, num_classes)
        # Glorot's, as in the published code. The poses only scale features, and learn by what
        # the classifier makes of these: from weights near 0 they do so many times later.
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits, the embeddings f_e and P_e, and weights to look at.

        Args:
            values: `frames` (B, T, H, W, 3), and with an attention `poses` (B, 3, K, t_p).
        """
        f: Tensor = self.features(values["frames"])  # (B, C, t_c, m, n)
        if self.attention is None:
            return {LOGITS: self._classify([f])}
        found: dict[str, Tensor] = self.attention(values["poses"])
        latent = found.pop(LATENT, None)
        if self.embedding is not None:
            found |= self.embedding(f, latent)
        return {LOGITS: self._classify(modulate(f, found)), **found}

    def loss(self, outputs: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """L = lambda_1 L_C + (1 - lambda_1) L_e + lambda_2 L_a, equation 5, mean over the batch."""
        loss = classification_loss(outputs[LOGITS], labels)
        if self.embedding is not None:
            share = self.weights.classes
            loss = share * loss + (1 - share) * self.embedding.loss(outputs)
        if self.attention is None:
            return loss
        return loss + self.weights.attention * attention_regulariser(outputs)

    def _classify(self, maps: list[Tensor]) -> Tensor:
        pooled = torch.cat([each.mean(dim=(2, 3, 4)) for each in maps], dim=1)
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


def attention_regulariser(weights: Mapping[str, Tensor]) -> Tensor:
    """L_a = sum_j |A_S(j)| + sum_j (1 - A_T(j))^2 (equation 6), mean over the batch.

    ||A_S(j)||_2 is of one number, hence its size. Of weights without A_S or A_T the
    other term is all.
    """
    terms = []
    if SPACE in weights:
        terms.append(weights[SPACE].float().abs().sum(dim=(1, 2)))
    if TIME in weights:
        terms.append((1 - weights[TIME].float()).square().sum(dim=1))
    return torch.stack(terms).sum(dim=0).mean()
