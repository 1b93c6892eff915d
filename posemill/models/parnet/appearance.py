"""The spatial appearance module: what the frames show as a whole (equation 17)."""

from __future__ import annotations

from torch import Tensor, nn


class SpatialAppearance(nn.Module):
    """F (B, features) of maps F_5b (B, T, C, h, w): the mean over time and places.

    The convolution over three frames is linear, so the mean over places goes before
    it: the same F for 1 / (h w) of its work, by which all of PARNet costs 66.5 G FLOP,
    not 67.7 (the paper has 64.9). Where the paper is silent, as in its code: a ReLU
    after v_s, none after W_t, biases, zeros beyond the first and last frame, and a
    dropout, which is here on F.

    Args:
        in_channels: C of the maps.
        features: 512.
        dropout: of F, at training.
    """

    def __init__(self, in_channels: int, features: int, dropout: float) -> None:
        super().__init__()
        self.out_features = features
        self.reduce = nn.Conv2d(in_channels, features, 1)  # v_s
        self.over_time = nn.Conv1d(features, features, 3, padding=1)  # W_t
        self.dropout = nn.Dropout(dropout)
        nn.init.kaiming_normal_(self.reduce.weight, nonlinearity="relu")
        nn.init.xavier_uniform_(self.over_time.weight)

    def forward(self, maps: Tensor) -> Tensor:
        reduced: Tensor = self.reduce(maps.flatten(0, 1)).relu()  # (B T, features, h, w)
        frames = reduced.mean(dim=(2, 3)).view(*maps.shape[:2], -1)  # (B, T, features)
        averaged: Tensor = self.over_time(frames.transpose(1, 2)).mean(dim=2)
        dropped: Tensor = self.dropout(averaged)
        return dropped
