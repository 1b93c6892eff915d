"""The attention weights of h*, and how they change the feature map."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from posemill.models.base import ATTENTION

SPACE = ATTENTION + "space"
"""A_S (B, m, n) in [0, 1]."""
TIME = ATTENTION + "time"
"""A_T (B, t_c), which add up to 1."""
SPACE_TIME = ATTENTION + "space_time"
"""A_ST (B, t_c, m, n), whose sum over time is A_S."""
LATENT = "latent_space"
"""z_1 (B, m n), whose sigmoid is A_S."""
_HIDDEN_SPACE, _HIDDEN_TIME = 256, 128  # as in the published code


class AttentionWeights(nn.Module):
    """A_S = sigmoid(z_1) and A_T = softmax(z_2) of h* (equation 2), or one of them.

        z_r = W_zr tanh(W_hr h* + b_hr) + b_zr

    The published code starts W_zr and b_zr at 0; a z_1 of 0 has no direction that
    equation 4 could compare, so that here they are Glorot's, as all others.

    Args:
        features: of h*.
        size: t_c, m and n of the feature map.
        space, time: which of both there are.
    """

    def __init__(
        self, features: int, size: tuple[int, int, int], *, space: bool, time: bool
    ) -> None:
        super().__init__()
        steps, height, width = size
        self.size_hw = height, width
        self.space = _latent(features, _HIDDEN_SPACE, height * width) if space else None
        self.time = _latent(features, _HIDDEN_TIME, steps) if time else None

    def forward(self, h: Tensor) -> dict[str, Tensor]:
        """`LATENT` and `SPACE`, and `TIME`, of h* (B, features)."""
        weights = {}
        if self.space is not None:
            weights[LATENT] = self.space(h)  # (B, m n)
            weights[SPACE] = weights[LATENT].sigmoid().unflatten(1, self.size_hw)
        if self.time is not None:
            weights[TIME] = self.time(h).softmax(dim=1)
        return weights


def couple(space: Tensor, time: Tensor) -> Tensor:
    """A_ST = inflate(A_S) o inflate(A_T), (B, t_c, m, n), of A_S (B, m, n) and A_T (B, t_c)."""
    return space[:, None] * time[:, :, None, None]


def modulate(f: Tensor, weights: Mapping[str, Tensor]) -> list[Tensor]:
    """The feature map f (B, C, t_c, m, n) as the weights have it.

    With `SPACE_TIME`, or with one of `SPACE` and `TIME`, f' = f + A o f. With both,
    but not coupled, A_S o f and A_T o f: what the paper calls "equivalent to the
    separable STA", which has no residual and classifies both side by side.
    """
    space, time = weights.get(SPACE), weights.get(TIME)
    if SPACE_TIME in weights:
        return [_residual(f, weights[SPACE_TIME])]
    if space is not None and time is not None:
        return [space[:, None, None] * f, time[:, None, :, None, None] * f]
    if space is not None:
        return [_residual(f, space[:, None])]
    return [_residual(f, weights[TIME][:, :, None, None])]


def _residual(f: Tensor, weights: Tensor) -> Tensor:
    """f + A o f of f (B, C, t_c, m, n) and A (B, t_c or 1, m or 1, n or 1)."""
    return f + weights[:, None] * f


def _latent(features: int, hidden: int, size: int) -> nn.Sequential:
    layers = nn.Linear(features, hidden), nn.Linear(hidden, size)
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layers[0], nn.Tanh(), layers[1])
