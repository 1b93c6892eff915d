"""The spatial embedding: video and poses in one space, and how far apart they are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Divergence = Literal["euclidean", "kl-video", "kl-pose", "kl-both"]
"""Of table 3: the normalised Euclidean loss, D_KL(f_e || P_e), D_KL(P_e || f_e), and their sum."""
VIDEO_EMBEDDING = "video_embedding"
"""f_e (B, D_e)."""
POSE_EMBEDDING = "pose_embedding"
"""P_e (B, D_e)."""
EMBEDDING_SIZE = 256
"""D_e."""
_LEAST_NORM = 1e-6  # of a vector that has a direction


class UnitProjection(nn.Module):
    """T x of vectors x (B, in_features), with ||T||_2 = 1 (equation 3).

    The norm is that of T's entries as one vector (Frobenius'). Of the norms that the
    paper may mean it costs least, and the loss of equation 4 is the same for any: it
    does not see the length of T x. The stored weights have any norm but 0; T is what
    they are divided by it, so that no step of an optimiser leaves the constraint.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        entries = torch.randn(out_features, in_features)
        self.weight = nn.Parameter(entries / entries.norm())

    @property
    def matrix(self) -> Tensor:
        """T (out_features, in_features)."""
        unit: Tensor = self.weight / self.weight.norm()
        return unit

    def forward(self, x: Tensor) -> Tensor:
        # A vector is cheaper to divide than T.
        projected: Tensor = functional.linear(x, self.weight) / self.weight.norm()
        return projected


class SpatialEmbedding(nn.Module):
    """f_e = T_v f_s and P_e = T_p z_1 (equation 3).

    f_s = sum_t f, all its channels and positions as one vector: the paper's "global
    spatial representation" has D_v = m n c.

    Args:
        video_features: D_v.
        pose_features: D_p = m n, of z_1.
        divergence: what its loss is.
    """

    def __init__(self, video_features: int, pose_features: int, divergence: Divergence) -> None:
        super().__init__()
        self.divergence = divergence
        self.video = UnitProjection(video_features, EMBEDDING_SIZE)
        self.pose = UnitProjection(pose_features, EMBEDDING_SIZE)

    def forward(self, f: Tensor, z: Tensor) -> dict[str, Tensor]:
        """`VIDEO_EMBEDDING` and `POSE_EMBEDDING` of f (B, C, t_c, m, n) and z_1 (B, m n)."""
        f_s = f.sum(dim=2).flatten(1)  # (B, C m n)
        return {VIDEO_EMBEDDING: self.video(f_s), POSE_EMBEDDING: self.pose(z)}

    def loss(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """L_e () of what `forward` gave."""
        return embedding_loss(outputs[VIDEO_EMBEDDING], outputs[POSE_EMBEDDING], self.divergence)


def embedding_loss(video: Tensor, pose: Tensor, divergence: Divergence) -> Tensor:
    """L_e (), the mean over the batch of how far f_e (B, D) and P_e (B, D) are apart.

    "euclidean" is equation 4, ||f_e / |f_e| - P_e / |P_e|||^2, in [0, 4]. The others of
    table 3 take a softmax of each embedding for its distribution, which the paper does
    not say. The paper finds that one divergence gives "feedback in one direction"; here
    gradients reach both sides of each, since which it holds fixed is not told.
    """
    video, pose = video.float(), pose.float()
    if divergence == "euclidean":
        apart = _direction(video) - _direction(pose)
        return apart.square().sum(dim=1).mean()
    v, p = video.log_softmax(dim=1), pose.log_softmax(dim=1)
    if divergence == "kl-video":
        return _kullback_leibler(v, p)
    if divergence == "kl-pose":
        return _kullback_leibler(p, v)
    return _kullback_leibler(v, p) + _kullback_leibler(p, v)


def _direction(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors, dim=1, eps=_LEAST_NORM)


def _kullback_leibler(log_p: Tensor, log_q: Tensor) -> Tensor:
    """D_KL(p || q) = sum p log(p / q), mean over the batch."""
    return functional.kl_div(log_q, log_p, reduction="batchmean", log_target=True)
