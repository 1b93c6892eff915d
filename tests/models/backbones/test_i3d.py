"""I3D against GoogLeNet's table, and against its slices over one picture."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from posemill.models.backbones.i3d import I3d  # noqa: E402

# Szegedy et al., table 1: in; 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool proj. Mixed_4f's
# input is 528 there, and Mixed_4e's second reduction is 32 in all implementations.
TABLE = [
    (192, 64, 96, 128, 16, 32, 32),
    (256, 128, 128, 192, 32, 96, 64),
    (480, 192, 96, 208, 16, 48, 64),
    (512, 160, 112, 224, 24, 64, 64),
    (512, 128, 128, 256, 24, 64, 64),
    (512, 112, 144, 288, 32, 64, 64),
    (528, 256, 160, 320, 32, 128, 128),
    (832, 256, 160, 320, 32, 128, 128),
    (832, 384, 192, 384, 48, 128, 128),
]
PLACES = [32 * 28 * 28] * 2 + [16 * 14 * 14] * 5 + [8 * 7 * 7] * 2


def test_parameters_and_macs_by_hand() -> None:
    # Kernels in cubes, and two numbers a channel of each normalisation.
    layers = [(343, 3, 64, 32 * 112**2), (1, 64, 64, 32 * 56**2), (27, 64, 192, 32 * 56**2)]
    for (into, one, reduce, three, second_reduce, second, proj), places in zip(
        TABLE, PLACES, strict=True
    ):
        layers += [(1, into, each, places) for each in (one, reduce, second_reduce, proj)]
        layers += [(27, reduce, three, places), (27, second_reduce, second, places)]
    parameters = sum(kernel * into * out + 2 * out for kernel, into, out, _ in layers)
    macs = sum(kernel * into * out * places for kernel, into, out, places in layers)
    # pytorch-i3d's 12.70 M are these and 400 classes.
    assert parameters == 12_287_264
    assert parameters + 1024 * 400 + 400 == 12_697_264
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = I3d().eval()
        features = network(torch.empty(1, 3, 64, 224, 224))
    assert features.shape == (1, 1024, 8, 7, 7)
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    assert counter.get_total_flops() // 2 == macs
    # PARNet, section IV.E, cites 222 GFLOPs: two a multiply-accumulate.
    assert round(2 * macs / 1e9) == 222


@pytest.mark.parametrize(
    ("shape", "features"),
    [((8, 32, 32), (1, 1, 1)), ((9, 33, 64), (2, 2, 2)), ((3, 45, 20), (1, 2, 1))],
)
def test_sizes_are_rounded_up(shape: tuple[int, int, int], features: tuple[int, int, int]) -> None:
    network = I3d(0.05).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 3, *shape)).shape == (1, network.out_channels, *features)


def test_poolings_over_time() -> None:
    pools = [layer[1] for name, layer in I3d(0.04).named_children() if name.startswith("MaxPool")]
    assert [(pool.kernel_size, pool.stride) for pool in pools] == [
        ((1, 3, 3), (1, 2, 2)),
        ((1, 3, 3), (1, 2, 2)),
        ((3, 3, 3), (2, 2, 2)),
        ((2, 2, 2), (2, 2, 2)),
    ]


def test_a_still_video_gives_what_its_picture_gives() -> None:
    """Carreira and Zisserman, section 2.4.1: of filters that are one over time, n times 1/n."""
    torch.manual_seed(3)
    network = I3d(0.1).double().eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d):
            layer.weight.data = layer.weight.mean(2, keepdim=True).expand_as(layer.weight)
    picture = torch.rand(1, 3, 40, 33, dtype=torch.float64)
    with torch.inference_mode():
        # A feature sees 99 frames: 7 of the first layer, 4 more of each of Conv3d_2c, both
        # Mixed_3 and the two poolings over time, 8 of each Mixed_4 and 16 of each Mixed_5.
        features = network(picture[:, :, None].expand(-1, -1, 120, -1, -1))
        torch.testing.assert_close(features[:, :, 7], over_pictures(network, picture))
    assert (features[:, :, 0] - features[:, :, 7]).abs().max() > 1e-6


def over_pictures(network: nn.Module, maps: torch.Tensor) -> torch.Tensor:
    """The network whose filters over time are summed, on maps (B, C, H, W)."""
    for name, layer in network.named_children():
        if name.startswith("MaxPool3d"):
            maps = pooled(maps, 2 if name.endswith("2x2") else 3, 2)
        elif name.startswith("Mixed"):
            maps = mixed(layer, maps)
        else:
            maps = unit(layer, maps)
    return maps


def mixed(block: nn.ModuleDict, maps: torch.Tensor) -> torch.Tensor:
    three = unit(block["3x3"], unit(block["3x3_reduce"], maps))
    second = unit(block["second_3x3"], unit(block["second_3x3_reduce"], maps))
    projected = unit(block["pool_proj"], pooled(maps, 3, 1))
    return torch.cat([unit(block["1x1"], maps), three, second, projected], dim=1)


def unit(layer: nn.Module, maps: torch.Tensor) -> torch.Tensor:
    weight, stride = layer.conv.weight.sum(2), layer.conv.stride[1]
    maps = functional.conv2d(same(maps, weight.shape[-1], stride), weight, stride=stride)
    norm = layer.norm
    return functional.batch_norm(
        maps, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=1e-3
    ).relu()


def pooled(maps: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    return functional.max_pool2d(same(maps, kernel, stride), kernel, stride)


def same(maps: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """SAME in the words of TensorFlow's guide, which has a case for each remainder."""
    ends = []
    for size in (maps.shape[3], maps.shape[2]):
        rest = size % stride
        total = max(kernel - (rest or stride), 0)
        ends += [total // 2, total - total // 2]
    return functional.pad(maps, ends)
