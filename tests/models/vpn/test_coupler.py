"""Attention weights and what they make of a feature map, against equation 2 in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from posemill.models.vpn.coupler import (  # noqa: E402
    LATENT,
    SPACE,
    SPACE_TIME,
    TIME,
    AttentionWeights,
    couple,
    modulate,
)

SIZE = (4, 3, 2)  # t_c, m, n


def made(batch: int = 2) -> tuple[AttentionWeights, Tensor, dict[str, Tensor]]:
    torch.manual_seed(3)
    layer = AttentionWeights(8, SIZE, space=True, time=True)
    h = torch.randn(batch, 8)
    return layer, h, layer(h)


def latent_by_hand(layers: nn.Module, h: Tensor) -> np.ndarray:
    weight_h, bias_h, weight_z, bias_z = (each.detach().numpy() for each in layers.parameters())
    return np.tanh(h.numpy() @ weight_h.T + bias_h) @ weight_z.T + bias_z


def test_weights_are_those_of_equation_2() -> None:
    layer, h, weights = made()
    assert layer.space is not None
    assert layer.time is not None
    z1, z2 = latent_by_hand(layer.space, h), latent_by_hand(layer.time, h)
    np.testing.assert_allclose(weights[LATENT].detach(), z1, atol=1e-6)
    sigmoid = 1 / (1 + np.exp(-z1))
    np.testing.assert_allclose(weights[SPACE].detach(), sigmoid.reshape(2, 3, 2), atol=1e-6)
    softmax = np.exp(z2) / np.exp(z2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(weights[TIME].detach(), softmax, atol=1e-6)


def test_hidden_sizes_are_the_published_ones() -> None:
    layer, _, _ = made()
    assert [tuple(each.shape) for each in layer.parameters()] == [
        *((256, 8), (256,), (6, 256), (6,)),
        *((128, 8), (128,), (4, 128), (4,)),
    ]


def test_coupled_weights_add_up_to_those_of_space() -> None:
    _, _, weights = made()
    coupled = couple(weights[SPACE], weights[TIME])
    assert coupled.shape == (2, *SIZE)
    torch.testing.assert_close(coupled.sum(dim=1), weights[SPACE])
    space, time = weights[SPACE][1, 2, 0].item(), weights[TIME][1, 3].item()
    assert coupled[1, 3, 2, 0].item() == pytest.approx(space * time)


def test_feature_maps_are_changed_as_the_weights_say() -> None:
    torch.manual_seed(4)
    f = torch.randn(2, 5, *SIZE)
    _, _, weights = made()
    space, time = weights[SPACE], weights[TIME]
    coupled = couple(space, time)
    told = {
        "coupled": ({SPACE: space, TIME: time, SPACE_TIME: coupled}, [(1.0, "st")]),
        "dissociated": ({SPACE: space, TIME: time}, [(0.0, "s"), (0.0, "t")]),
        "spatial": ({SPACE: space}, [(1.0, "s")]),
        "temporal": ({TIME: time}, [(1.0, "t")]),
    }
    for kind, (given, expected) in told.items():
        maps = modulate(f, given)
        assert len(maps) == len(expected), kind
        for got, (kept, over) in zip(maps, expected, strict=True):
            for t, y, x in np.ndindex(*SIZE):
                weight = {
                    "st": space[:, y, x] * time[:, t],
                    "s": space[:, y, x],
                    "t": time[:, t],
                }[over]
                wanted = (kept + weight[:, None]) * f[:, :, t, y, x]
                torch.testing.assert_close(got[:, :, t, y, x], wanted, msg=kind)
