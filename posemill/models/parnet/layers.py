"""A fully connected layer as PARNet's code first sets it."""

from __future__ import annotations

from torch import nn


def linear(in_features: int, out_features: int, *, bias: bool = True) -> nn.Linear:
    """Weights by Xavier's rule, a bias of 0."""
    layer = nn.Linear(in_features, out_features, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
