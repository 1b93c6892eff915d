"""The pose-aware module: what the frames show where the pose says to look (section III-E).

The paper has P_t "modulate" the maps and says no more. Here it scales their channels:
a place's score is w (W P_t + b) o F_4e, of the 1x1 convolution w. The additive
attention of the paper's code, w tanh(W1 F_4e + W2 P_t), would cost .8 G FLOP more.
"""

from __future__ import annotations

from torch import Tensor, nn

from posemill.models.parnet.layers import linear
from posemill.models.parnet.ta_lstm import TaLstm


class PoseAwareRelation(nn.Module):
    """h~_T^r (B, H) of P_t (B, T, P) and maps F_4e (B, T, C, h, w), and where it looked.

    Args:
        pose_features: P.
        channels: C of the maps.
        hidden, window: H and n of the TA-LSTM.
    """

    def __init__(self, pose_features: int, channels: int, hidden: int, window: int) -> None:
        super().__init__()
        self.out_features = hidden
        self.modulate = linear(pose_features, channels)
        # A bias would be the same at all places, of which the softmax sees nothing.
        self.score = linear(channels, 1, bias=False)
        self.rnn = TaLstm(channels, hidden, window)

    def forward(self, fused: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """h~_T^r (B, H), and the places' weights (B, T, h, w), of sum 1 in each frame."""
        places = maps.flatten(3).transpose(2, 3)  # (B, T, h w, C)
        modulated = places * self.modulate(fused)[:, :, None]
        weights = self.score(modulated).squeeze(3).softmax(dim=2)  # (B, T, h w)
        seen = (weights[:, :, None] @ places).squeeze(2)  # f_t^r (B, T, C), eq. 18
        return self.rnn(seen), weights.unflatten(2, maps.shape[3:])  # eq. 19
