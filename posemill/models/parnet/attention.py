"""The attention that PARNet selects by: of past outputs, and of people (equations 5 to 7, 13)."""

from __future__ import annotations

from torch import Tensor, nn

from posemill.models.parnet.layers import linear


class AdditiveAttention(nn.Module):
    """a = softmax(v tanh(W1 value + W2 query)) over the values (Bahdanau et al., ICLR 2015).

    W1, W2 and v have no biases, as in equation 5. Nothing is masked.

    Args:
        value_features, query_features: sizes of a value and of the query.
        features: of the layer between, rows of W1 and W2.
    """

    def __init__(self, value_features: int, query_features: int, features: int) -> None:
        super().__init__()
        self.of_values = linear(value_features, features, bias=False)
        self.of_query = linear(query_features, features, bias=False)
        self.score = linear(features, 1, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        """W1 value (..., features) of values (..., value_features), for any number of queries."""
        keys: Tensor = self.of_values(values)
        return keys

    def forward(self, keys: Tensor, query: Tensor) -> Tensor:
        """Weights (B, V), of sum 1, of keys (B, V, features) by a query (B, query_features)."""
        scores: Tensor = self.score((keys + self.of_query(query)[:, None]).tanh())  # (B, V, 1)
        return scores.squeeze(2).softmax(dim=1)


def weighted_sum(weights: Tensor, values: Tensor) -> Tensor:
    """sum_v weights_v values_v (B, D), of weights (B, V) and values (B, V, D)."""
    return (weights[:, None] @ values).squeeze(1)
