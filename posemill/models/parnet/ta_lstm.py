"""The temporal attention LSTM: a cell that looks back at its latest outputs (equations 1 to 10).

What the paper leaves open: all states are 0 before the first step, and so are the
outputs in the window that lie before it, which the softmax weighs like the rest;
x' (equation 1) is as large as x; W_i, W and W_o, "the Fully-Connected layers" of the
paper, have biases; first weights are those of its code, orthogonal for W, Xavier's
for the rest, biases of 0.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posemill.models.parnet.attention import AdditiveAttention, weighted_sum
from posemill.models.parnet.layers import linear


class TaLstmState(NamedTuple):
    """S_t of equation 10; with a window of 0 the last three are empty."""

    hidden: Tensor
    """h_t (B, H)."""
    cell: Tensor
    """c_t (B, H)."""
    attended: Tensor
    """h'_t (B, H), or (B, 0)."""
    outputs: Tensor
    """The n latest outputs (B, n, H), oldest first."""
    keys: Tensor
    """W1' of each of them (B, n, H), so that each is multiplied once."""


class TaLstm(nn.Module):
    """One direction of a TA-LSTM.

    With a window of 0 it is a plain LSTM, as in the paper's figure 11: there is
    nothing to attend to, so equations 1 and 8 have no h' to join and are left out
    with their W_i and W_o: x' is x and the output is h.

    Args:
        in_features: of x_t.
        hidden: H, of h, c and the outputs.
        window: n, how many outputs it looks back at.
    """

    def __init__(self, in_features: int, hidden: int, window: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.window = window
        self.gates = nn.Linear(in_features + hidden, 4 * hidden)  # W: i, f, o and c^
        nn.init.orthogonal_(self.gates.weight)
        nn.init.zeros_(self.gates.bias)
        self.look_back = _LookBack(in_features, hidden) if window else None

    def begin(self, like: Tensor) -> TaLstmState:
        """S_0, all 0, for inputs (B, ...) such as `like`."""
        zeros = like.new_zeros(len(like), self.hidden)
        past = like.new_zeros(len(like), self.window, self.hidden)
        attended = zeros if self.window else zeros[:, :0]
        return TaLstmState(zeros, zeros, attended, past, past)

    def step(self, x: Tensor, state: TaLstmState) -> tuple[Tensor, TaLstmState]:
        """The output h~_t (B, H) and S_t, of x_t (B, in_features) and S_{t-1}."""
        if self.look_back is None:
            hidden, cell = self._lstm(x, state)
            return hidden, state._replace(hidden=hidden, cell=cell)
        mixed: Tensor = self.look_back.join_input(torch.cat([x, state.attended], dim=1))  # eq. 1
        hidden, cell = self._lstm(mixed, state)
        query = torch.cat([hidden, cell], dim=1)
        weights = self.look_back.attention(state.keys, query)  # (B, n), eqs 5 and 6
        attended = weighted_sum(weights, state.outputs)  # eq. 7
        output: Tensor = self.look_back.join_output(torch.cat([hidden, attended], dim=1))  # eq. 8
        outputs = _slide(state.outputs, output)
        keys = _slide(state.keys, self.look_back.attention.keys(output))
        return output, TaLstmState(hidden, cell, attended, outputs, keys)

    def forward(self, x: Tensor) -> Tensor:
        """The output at the last step (B, H) of a sequence (B, T, in_features), T >= 1."""
        state = self.begin(x)
        for x_t in x.unbind(dim=1):
            output, state = self.step(x_t, state)
        return output

    def _lstm(self, x: Tensor, state: TaLstmState) -> tuple[Tensor, Tensor]:
        """h_t and c_t (B, H) by equations 2 to 4."""
        gates: Tensor = self.gates(torch.cat([x, state.hidden], dim=1))
        i, f, o, candidate = gates.chunk(4, dim=1)
        cell = f.sigmoid() * state.cell + i.sigmoid() * candidate.tanh()
        return o.sigmoid() * cell.tanh(), cell


class _LookBack(nn.Module):
    """What a window adds to an LSTM: W_i, the attention and W_o."""

    def __init__(self, in_features: int, hidden: int) -> None:
        super().__init__()
        self.join_input = linear(in_features + hidden, in_features)
        self.attention = AdditiveAttention(hidden, 2 * hidden, hidden)
        self.join_output = linear(2 * hidden, hidden)


class BidirectionalTaLstm(nn.Module):
    """Two TA-LSTMs, of which one reads the sequence from its end."""

    def __init__(self, in_features: int, hidden: int, window: int) -> None:
        super().__init__()
        self.ahead = TaLstm(in_features, hidden, window)
        self.back = TaLstm(in_features, hidden, window)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs after the last step of each, (B, 2 H), of x (B, T, in_features)."""
        return torch.cat([self.ahead(x), self.back(x.flip(1))], dim=1)


def _slide(window: Tensor, newest: Tensor) -> Tensor:
    """The window (B, n, H) without its oldest row, and with another (B, H) behind."""
    return torch.cat([window[:, 1:], newest[:, None]], dim=1)
