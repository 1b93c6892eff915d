"""The TA-LSTM against torch's LSTM, and against the paper's equations in a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from posemill.models.parnet.ta_lstm import BidirectionalTaLstm, TaLstm  # noqa: E402

IN, HIDDEN, BATCH = 3, 4, 2


def sequence(steps: int = 9) -> Tensor:
    return torch.randn(BATCH, steps, IN, generator=torch.Generator().manual_seed(1))


def made(window: int, kind: type[nn.Module] = TaLstm) -> nn.Module:
    """With biases that are not 0, so that they count."""
    torch.manual_seed(window)
    network = kind(IN, HIDDEN, window)
    for name, weight in network.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(weight)
    return network


def outputs(network: nn.Module, x: Tensor) -> Tensor:
    """Of every step (B, T, H)."""
    return torch.stack([network(x[:, : t + 1]) for t in range(x.shape[1])], dim=1).detach()


def test_a_window_of_nought_is_a_plain_lstm() -> None:
    network, cell, x = made(0), nn.LSTMCell(IN, HIDDEN), sequence()
    assert [name for name, _ in network.named_parameters()] == ["gates.weight", "gates.bias"]
    order = [0, 1, 3, 2]  # torch has i, f, c^, o, the paper i, f, o, c^
    weight = network.gates.weight.detach().reshape(4, HIDDEN, -1)[order].reshape(4 * HIDDEN, -1)
    bias = network.gates.bias.detach().reshape(4, HIDDEN)[order].reshape(-1)
    cell.load_state_dict(
        {
            "weight_ih": weight[:, :IN],
            "weight_hh": weight[:, IN:],
            "bias_ih": bias,
            "bias_hh": torch.zeros(4 * HIDDEN),
        }
    )
    hidden = memory = torch.zeros(BATCH, HIDDEN)
    state = network.begin(x)
    for x_t in x.unbind(1):
        hidden, memory = cell(x_t, (hidden, memory))
        output, state = network.step(x_t, state)
        torch.testing.assert_close(output, hidden)
        torch.testing.assert_close(state.cell, memory)
    torch.testing.assert_close(network(x), hidden)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def equations(weights: dict[str, np.ndarray], x: np.ndarray, n: int) -> np.ndarray:
    """Outputs (T, H) of x (T, IN) by equations 1 to 8, one number of the batch, step by step."""
    h = c = attended = np.zeros(HIDDEN)
    past = [np.zeros(HIDDEN)] * n  # h~_{t-n}, ..., h~_{t-1}
    made = []
    for x_t in x:
        mixed = weights["W_i"] @ np.concatenate([x_t, attended]) + weights["b_i"]  # 1
        gates = weights["W"] @ np.concatenate([mixed, h]) + weights["b"]  # 2
        i, f, o = (sigmoid(gates[k * HIDDEN : (k + 1) * HIDDEN]) for k in range(3))
        candidate = np.tanh(gates[3 * HIDDEN :])
        c = f * c + i * candidate  # 3
        h = o * np.tanh(c)  # 4
        query = weights["W2'"] @ np.concatenate([h, c])
        u = np.array([weights["v"] @ np.tanh(weights["W1'"] @ each + query) for each in past])  # 5
        a = np.exp(u) / np.exp(u).sum()  # 6
        attended = sum(a_i * each for a_i, each in zip(a, past, strict=True))  # 7
        output = weights["W_o"] @ np.concatenate([h, attended]) + weights["b_o"]  # 8
        past = [*past[1:], output]
        made.append(output)
    return np.array(made)


@pytest.mark.parametrize("window", [1, 5, 20])
def test_outputs_are_those_of_the_equations(window: int) -> None:
    network, x = made(window).double(), sequence().double()
    look_back = network.look_back
    layers = {
        "W_i": look_back.join_input.weight,
        "b_i": look_back.join_input.bias,
        "W": network.gates.weight,
        "b": network.gates.bias,
        "W1'": look_back.attention.of_values.weight,
        "W2'": look_back.attention.of_query.weight,
        "v": look_back.attention.score.weight[0],
        "W_o": look_back.join_output.weight,
        "b_o": look_back.join_output.bias,
    }
    weights = {name: layer.detach().numpy() for name, layer in layers.items()}
    got = outputs(network, x)
    for number in range(BATCH):
        expected = equations(weights, x[number].numpy(), window)
        np.testing.assert_allclose(got[number].numpy(), expected, rtol=1e-10, atol=1e-12)


def test_parameters_by_hand() -> None:
    def parameters(network: nn.Module) -> int:
        return sum(weight.numel() for weight in network.parameters())

    lstm = 4 * HIDDEN * (IN + HIDDEN) + 4 * HIDDEN
    joins = (IN * (IN + HIDDEN) + IN) + (HIDDEN * 2 * HIDDEN + HIDDEN)
    attention = HIDDEN * HIDDEN + HIDDEN * 2 * HIDDEN + HIDDEN
    assert parameters(TaLstm(IN, HIDDEN, 0)) == lstm
    for window in (1, 5):  # the window is looked back at by the same weights
        assert parameters(TaLstm(IN, HIDDEN, window)) == lstm + joins + attention
    assert parameters(BidirectionalTaLstm(IN, HIDDEN, 0)) == 2 * lstm


@pytest.mark.parametrize("window", [0, 2])
def test_both_directions_are_two_runs(window: int) -> None:
    network, x = made(window, BidirectionalTaLstm), sequence()
    ahead, back = network(x).split(HIDDEN, dim=1)
    torch.testing.assert_close(ahead, network.ahead(x))
    torch.testing.assert_close(back, network.back(x[:, torch.arange(8, -1, -1)]))
    network.back.load_state_dict(network.ahead.state_dict())
    turned = network(x.flip(1)).roll(HIDDEN, dims=1)  # the directions change places
    torch.testing.assert_close(turned, network(x))


def test_no_output_sees_what_comes_later() -> None:
    network, x = made(5), sequence()
    changed = x.clone()
    changed[:, 6:] += 1
    before, after = outputs(network, x), outputs(network, changed)
    torch.testing.assert_close(after[:, :6], before[:, :6], rtol=0, atol=0)
    assert (after[:, 6:] != before[:, 6:]).all()


@pytest.mark.parametrize("window", [0, 5])
def test_a_clip_does_not_depend_on_others_of_its_batch(window: int) -> None:
    network, x = made(window), sequence()
    torch.testing.assert_close(network(x)[1:], network(x[1:]))
