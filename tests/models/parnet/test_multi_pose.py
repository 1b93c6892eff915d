"""PARNet's poses: part encoder, selection of people, and pose and motion of both directions."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from posemill.models.parnet.attention import AdditiveAttention, weighted_sum  # noqa: E402
from posemill.models.parnet.multi_pose import TemporalMultiPose  # noqa: E402
from posemill.models.parnet.part_encoder import PartEncoder  # noqa: E402

B, T, N, H = 2, 6, 4, 8
HALVES = [*range(H, 2 * H), *range(H)]


def draw(*shape: int, seed: int = 2) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def poses() -> Tensor:
    return draw(B, T, N, 14, 2)


def module(persons: str = "attention", window: int = 2) -> TemporalMultiPose:
    torch.manual_seed(3)
    return TemporalMultiPose(H, window, persons).eval()


def test_parts_are_encoded_by_equations_11_and_12() -> None:
    torch.manual_seed(4)
    encoder = PartEncoder(H)
    nn.init.normal_(encoder.limb[2].bias)
    nn.init.normal_(encoder.body[2].bias)
    person = draw(14, 2)

    def encoded(layers: nn.Sequential, joints: list[int]) -> np.ndarray:
        w1, w2, b = (each.detach().numpy() for each in layers.parameters())
        l_i = np.array([axis for joint in joints for axis in person[joint].tolist()])
        return np.tanh(w2 @ np.maximum(w1 @ l_i, 0) + b)

    # Arms, legs, and head, neck and shoulders, of figure 2.
    limbs = [encoded(encoder.limb, part) for part in ([3, 4, 5], [0, 1, 2], [9, 10, 11], [6, 7, 8])]
    parts = np.concatenate([*limbs, encoded(encoder.body, [12, 13, 0, 3])])
    assert parts.shape == (500,)
    expected = encoder.pose.weight.detach().numpy() @ parts
    np.testing.assert_allclose(encoder(person).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_limbs_share_their_layers_and_the_body_does_not() -> None:
    torch.manual_seed(4)
    encoder = PartEncoder(H)
    shapes = [tuple(weight.shape) for weight in encoder.parameters()]
    part = [(32,), (100, 32), (100,)]
    assert shapes == [(32, 6), *part[1:], (32, 8), *part[1:], (H, 500)]


def test_weights_are_a_softmax_of_equation_5() -> None:
    torch.manual_seed(5)
    attention = AdditiveAttention(3, 5, 4)
    values, query = draw(B, N, 3), draw(B, 5)
    w1, w2, v = (each.detach().numpy() for each in attention.parameters())
    weights = attention(attention.keys(values), query).detach()
    for number in range(B):
        scores = [
            v[0] @ np.tanh(w1 @ value + w2 @ query[number].numpy())
            for value in values[number].numpy()
        ]
        expected = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(weights[number].numpy(), expected, rtol=1e-5)
        total = sum(a * value for a, value in zip(expected, values[number].numpy(), strict=True))
        got = weighted_sum(weights, values)[number].numpy()
        np.testing.assert_allclose(got, total, rtol=1e-5)


def test_the_order_of_people_does_not_matter() -> None:
    network, order = module(), torch.tensor([2, 0, 3, 1])
    one, other = network(poses()), network(poses()[:, :, order])
    for name in ("pose", "motion", "fused"):
        torch.testing.assert_close(getattr(other, name), getattr(one, name))
    torch.testing.assert_close(other.weights, one.weights[:, :, order])


def test_equal_people_have_equal_weights() -> None:
    people = poses()
    people[:, :, 2] = people[:, :, 0]
    weights = module()(people).weights
    torch.testing.assert_close(weights[:, :, 2], weights[:, :, 0])
    assert (weights[:, :, 1] != weights[:, :, 0]).all()
    alike = module()(people[:, :, :1].expand(-1, -1, N, -1, -1)).weights
    torch.testing.assert_close(alike, torch.full((B, T, N), 1 / N))


def test_people_who_are_not_there_are_weighed_like_the_rest() -> None:
    people = poses()
    people[:, :, 1:] = 0.0
    made = module()(people)
    torch.testing.assert_close(made.weights.sum(dim=2), torch.ones(B, T))
    assert (made.weights[:, :, 1:] > 0.05).all()  # of scores within tanh, none is shut out
    torch.testing.assert_close(made.weights[:, :, 2], made.weights[:, :, 1])
    absent = module().encode(torch.zeros(14, 2))
    expected = made.weights[:, :, :1] * module().encode(people[:, :, 0])
    expected = expected + (1 - made.weights[:, :, :1]) * absent
    torch.testing.assert_close(made.fused, expected)


@pytest.mark.parametrize("persons", ["attention", "sum"])
def test_a_clip_turned_round_changes_places_with_itself(persons: str) -> None:
    network = module(persons)
    for rnn in (network.pose_rnn, network.motion_rnn):
        rnn.back.load_state_dict(rnn.ahead.state_dict())
    one, other = network(poses()), network(poses().flip(1))
    torch.testing.assert_close(other.pose, one.pose[:, HALVES])
    torch.testing.assert_close(other.fused, one.fused.flip(1))


def test_each_direction_is_guided_by_its_own_last_output() -> None:
    network, people = module(), module().encode(poses())
    weights = []
    for rnn, seen in ((network.pose_rnn.ahead, people), (network.pose_rnn.back, people.flip(1))):
        output, state = torch.zeros(B, H), rnn.begin(people)
        chosen = []
        for t in range(T):
            chosen.append(network.select(network.select.keys(seen[:, t]), output))  # eq. 13
            p_t = (chosen[-1][:, :, None] * seen[:, t]).sum(dim=1)
            output, state = rnn.step(p_t, state)  # eq. 14
        weights.append(torch.stack(chosen, dim=1))
        half = slice(0, H) if rnn is network.pose_rnn.ahead else slice(H, 2 * H)
        torch.testing.assert_close(network(poses()).pose[:, half], output)
    mean = (weights[0] + weights[1].flip(1)) / 2
    torch.testing.assert_close(network(poses()).weights, mean)
    assert not torch.allclose(weights[0], weights[1].flip(1))


@pytest.mark.parametrize("persons", ["attention", "sum"])
def test_motion_is_read_from_differences_both_ways(persons: str) -> None:
    network = module(persons)
    made = network(poses())
    steps = [made.fused[:, t] - made.fused[:, t - 1] for t in range(1, T)]  # eq. 15
    assert len(steps) == T - 1
    ahead = network.motion_rnn.ahead(torch.stack(steps, dim=1))
    back = network.motion_rnn.back(torch.stack(steps[::-1], dim=1))
    torch.testing.assert_close(made.motion, torch.cat([ahead, back], dim=1))


def test_a_still_clip_has_the_motion_of_no_input() -> None:
    network = module("sum")
    still = poses()[:, :1].expand(-1, T, -1, -1, -1)
    nothing = network.motion_rnn(torch.zeros(B, T - 1, H))
    torch.testing.assert_close(network(still).motion, nothing)


def test_people_are_added_up_without_attention() -> None:
    network = module("sum")
    made = network(poses())
    assert made.weights is None
    assert not any("select" in name for name, _ in network.named_parameters())
    expected = sum(network.encode(poses()[:, :, n]) for n in range(N))
    torch.testing.assert_close(made.fused, expected)
    torch.testing.assert_close(made.pose, network.pose_rnn(expected))
