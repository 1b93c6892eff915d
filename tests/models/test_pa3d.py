"""PA3D's temporal pose convolutions against plain loops, and its network against the counts."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.counts import count  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.pa3d import MODALITIES, Pa3dModel, TemporalPoseConvolution  # noqa: E402
from posemill.transforms.potion import time_encoding  # noqa: E402
from posemill.transforms.recipes import get_recipe  # noqa: E402
from posemill.transforms.skeletons import get_skeleton  # noqa: E402
from posemill.transforms.tempposeconv import (  # noqa: E402
    dilated_index,
    global_index,
    local_index,
)

SMALL = {"joints": (8, 5, 12, 13)}


def cube(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3))


def test_counts_equal_the_published_ones() -> None:
    # PoseConv3D, table 10: 4.81 M and 0.65 G. R = 17 (6 + 6) = 204 maps at 56 x 56, T = 8.
    shapes = {"joints": (8, 17, 56, 56)}
    counts = count(Pa3dModel().network(shapes, 60), shapes, classifier=False)
    kernels = 204 * 128 + 128 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 512 * 512
    filters = 6 * 8 + 6 * 4  # Theta and Phi
    assert counts.parameters == 9 * kernels + 2 * 2 * (128 + 256 + 512) + filters == 4_809_800
    assert counts.parameters == pytest.approx(4.81e6, rel=0.01)
    assert counts.macs == pytest.approx(0.651e9, rel=1e-3)


def test_rows_of_the_time_encoding_reproduce_potions_s() -> None:
    convolution = TemporalPoseConvolution(4, global_index(9))
    encoding = time_encoding(9, 4)  # (T, C): o_c(t)
    convolution.weight.data = torch.from_numpy(encoding.T.copy())
    maps = cube(2, 9, 3, 5, 6)
    s = np.zeros((2, 4, 3, 5, 6))
    for t in range(9):  # S_k,c = sum_t H_k^t o_c(t)
        for c in range(4):
            s[:, c] += encoding[t, c] * maps[:, t].numpy()
    np.testing.assert_allclose(convolution(maps).detach().numpy(), s, rtol=1e-5)


@pytest.mark.parametrize("length", [7, 8])
@pytest.mark.parametrize("dilation", [2, 3])
def test_a_dilated_convolution_sees_every_other_frame(length: int, dilation: int) -> None:
    convolution = TemporalPoseConvolution(2, dilated_index(length, dilation))
    maps = cube(2, length, 3, 2, 2)
    phi = convolution.weight.detach()
    assert phi.shape == (2, -(-length // dilation))  # M x ceil(T / d)
    expected = torch.zeros(2, 2, 3, 2, 2)
    for m in range(2):
        for number, t in enumerate(range(0, length, dilation)):
            expected[:, m] += phi[m, number] * maps[:, t]
    torch.testing.assert_close(convolution(maps).detach(), expected)


def test_a_local_convolution_slides_over_three_adjacent_frames() -> None:
    convolution = TemporalPoseConvolution(2, local_index(8))
    maps = cube(1, 8, 3, 2, 2)
    psi = convolution.weight.detach()
    expected = [
        sum(psi[filter_, step] * maps[0, start + step] for step in range(3))
        for start in range(6)  # t1-t3, ..., t6-t8
        for filter_ in range(2)
    ]
    torch.testing.assert_close(convolution(maps)[0].detach(), torch.stack(expected))


@pytest.mark.parametrize(
    ("temporal", "maps"),
    [
        ("global", 6),
        ("local", 6),  # one filter at each of T - 2 = 6 starts
        ("dilated", 6),
        ("global+local", 12),
        ("global+dilated", 12),
        ("global+dilated+local", 18),
    ],
)
def test_every_type_of_table_3(temporal: str, maps: int) -> None:
    model = create_model("pa3d", {"temporal": temporal, "width": "4"})
    network = model.network({"joints": (8, 5, 12, 13)}, 3)
    assert network.features[0].in_channels == 5 * maps
    assert network.convolutions["joints"](cube(2, 8, 5, 12, 13)).shape == (2, 5 * maps, 12, 13)


def test_outputs_are_set_each() -> None:
    settings = {"outputs": "3", "dilated_outputs": "2", "dilation": "3", "width": "4"}
    network = create_model("pa3d", settings).network(SMALL, 3)
    weights = [tuple(each.weight.shape) for each in network.convolutions["joints"]]
    assert weights == [(3, 8), (2, 3)]


def test_filters_are_shared_by_all_channels() -> None:
    network = Pa3dModel(width=4).network(SMALL, 3)
    maps = cube(1, 8, 5, 12, 13)
    order = [3, 0, 4, 1, 2]
    of_channels = network.convolutions["joints"](maps).unflatten(1, (12, 5))
    of_reordered = network.convolutions["joints"](maps[:, :, order]).unflatten(1, (12, 5))
    torch.testing.assert_close(of_reordered, of_channels[:, :, order])


@pytest.mark.parametrize("name", MODALITIES)
def test_gradients_reach_every_weight_of_every_modality(name: str) -> None:
    settings = {"temporal": "global+dilated+local", "width": "4", "dropout": "0.1"}
    network = create_model("pa3d", settings).network({name: (5, 3, 17, 20)}, 4)
    logits = network({name: cube(6, 5, 3, 17, 20)})["logits"]
    assert logits.shape == (6, 4)
    nn.functional.cross_entropy(logits, torch.arange(6) % 4).backward()
    for weight_name, weight in network.named_parameters():
        assert weight.grad is not None, weight_name
        assert weight.grad.abs().sum() > 0, weight_name


def test_channels_of_modalities_are_stacked_each_with_its_own_filters() -> None:
    shapes = {"parts": (8, 6, 12, 13), "joint_differences": (7, 5, 12, 13), **SMALL}
    network = create_model("pa3d", {"fusion": "channels", "width": "4"}).network(shapes, 3)
    assert list(network.convolutions) == ["joints", "parts", "joint_differences"]
    assert network.features[0].in_channels == 12 * (5 + 6 + 5)
    assert network.convolutions["joint_differences"][0].weight.shape == (6, 7)
    values = {name: cube(2, *shape) for name, shape in shapes.items()}
    network.eval()
    before = network(values)["logits"]
    for name in shapes:  # each of them matters
        changed = network({**values, name: 1 - values[name]})["logits"]
        assert not torch.allclose(before, changed), name


def test_modalities_are_those_of_the_recipes() -> None:
    names = {
        get_recipe(name)().outputs(get_skeleton("coco-17"))[0].name for name in Pa3dModel.recipes
    }
    assert names == set(MODALITIES)


def test_refusals_name_what_is_wrong() -> None:
    model = Pa3dModel()
    with pytest.raises(InputError, match=r"pa3d reads joints \(time, channel, y, x\).*volume"):
        model.network({"volume": (17, 48, 56, 56)}, 3)
    with pytest.raises(InputError, match=r"pa3d reads joints .*\(8, 2, 5, 12, 13\)"):
        model.network({"joints": (8, 2, 5, 12, 13)}, 3)  # two people apart
    with pytest.raises(InputError, match=r"8 x 13 px are too small for the model pa3d.* 9 px"):
        model.network({"joints": (8, 5, 8, 13)}, 3)
    both = {**SMALL, "parts": (8, 6, 12, 14)}
    with pytest.raises(InputError, match=r"joints and parts: .* --set model\.fusion=channels"):
        model.network(both, 3)
    stacked = Pa3dModel(fusion="channels")
    with pytest.raises(InputError, match="12 x 13 px and 12 x 14 px"):
        stacked.network(both, 3)
    with pytest.raises(InputError, match=r"two modalities or more .* a view has joints;"):
        stacked.network(SMALL, 3)
    with pytest.raises(InputError, match=r"temporal=local needs 3 frames or more, and parts have"):
        Pa3dModel(temporal="local").network({"parts": (2, 6, 12, 13)}, 3)
    with pytest.raises(InputError, match="temporal must be global or local or"):
        create_model("pa3d", {"temporal": "dilated+global"})
