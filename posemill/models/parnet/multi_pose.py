"""The temporal multi-pose module: pose and motion representations (section III-C).

What the paper leaves open is how its one pose-fusion vector P_t comes of an RNN of
two directions. Here each direction selects people by its own previous output
(equation 13), as in the paper's code with one set of weights for both, and reads
what it selected (equation 14). P_t, of which motion and relation are made
(equations 15 and 18), is the mean of both: the sum of the people, each weighed by
the mean of its two weights. Motion is one sequence P_t - P_{t-1}, read both ways.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from posemill.models.parnet.attention import AdditiveAttention, weighted_sum
from posemill.models.parnet.part_encoder import PartEncoder
from posemill.models.parnet.ta_lstm import BidirectionalTaLstm, TaLstm

PersonFusion = Literal["attention", "sum"]
"""How the people of a frame become one vector (table II)."""


class MultiPose(NamedTuple):
    """What the module makes of a clip's poses."""

    pose: Tensor
    """h~_T^p (B, 2 H)."""
    motion: Tensor
    """h~_T^v (B, 2 H)."""
    fused: Tensor
    """P_t (B, T, H)."""
    weights: Tensor | None
    """Of the people in P_t (B, T, N), of sum 1; None where they are added up."""


class TemporalMultiPose(nn.Module):
    """Poses (B, T, N, 14, 2), T >= 2, to `MultiPose`.

    People who are not there have all joints at (0, 0) and are weighed like the rest.

    Args:
        hidden: H, of the RNNs, of p_m and of the attention.
        window: n of the TA-LSTMs.
        persons: see `PersonFusion`.
    """

    def __init__(self, hidden: int, window: int, persons: PersonFusion) -> None:
        super().__init__()
        self.out_features = 2 * hidden
        """Of the pose and of the motion representation."""
        self.encode = PartEncoder(hidden)
        self.select = AdditiveAttention(hidden, hidden, hidden) if persons == "attention" else None
        self.pose_rnn = BidirectionalTaLstm(hidden, hidden, window)
        self.motion_rnn = BidirectionalTaLstm(hidden, hidden, window)

    def forward(self, poses: Tensor) -> MultiPose:
        people: Tensor = self.encode(poses)  # P_m (B, T, N, H)
        if self.select is None:
            weights, fused = None, people.sum(dim=2)
            pose = self.pose_rnn(fused)
        else:
            pose, weights = self._attend(people, self.select)
            fused = (weights[:, :, None] @ people).squeeze(2)
        motion = self.motion_rnn(fused.diff(dim=1))  # of T - 1 steps, eqs 15 and 16
        return MultiPose(pose, motion, fused, weights)

    def _attend(self, people: Tensor, select: AdditiveAttention) -> tuple[Tensor, Tensor]:
        """h~_T^p, and the mean of both directions' weights."""
        keys = select.keys(people)  # (B, T, N, H), of both directions
        ahead, weights = _select_and_read(self.pose_rnn.ahead, select, people, keys)
        back, turned = _select_and_read(self.pose_rnn.back, select, people.flip(1), keys.flip(1))
        return torch.cat([ahead, back], dim=1), (weights + turned.flip(1)) / 2


def _select_and_read(
    rnn: TaLstm, select: AdditiveAttention, people: Tensor, keys: Tensor
) -> tuple[Tensor, Tensor]:
    """The last output (B, H), and the weights (B, T, N) of the people it read."""
    state = rnn.begin(people)
    output, chosen = state.hidden, []  # the output before the first is 0
    for people_t, keys_t in zip(people.unbind(1), keys.unbind(1), strict=True):
        weights = select(keys_t, output)  # (B, N), eq. 13
        output, state = rnn.step(weighted_sum(weights, people_t), state)  # eq. 14
        chosen.append(weights)
    return output, torch.stack(chosen, dim=1)
