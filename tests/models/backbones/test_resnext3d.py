"""3-D ResNeXt-101 against table 1 of its paper."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from posemill.models.backbones.layers3d import Residual  # noqa: E402
from posemill.models.backbones.resnext3d import resnext101  # noqa: E402


def test_parameters_and_macs_by_hand() -> None:
    # Channels inside the blocks, their number, and places (T, H, W) before and after.
    places = [8 * 28**2, 8 * 28**2, 4 * 14**2, 2 * 7**2, 1 * 4**2]
    layers = [(343, 3, 64, 16 * 56**2)]
    channels = 64
    for stage, number in enumerate((3, 4, 23, 3)):
        inside, before, after = 128 * 2**stage, places[stage], places[stage + 1]
        for block in range(number):
            layers += [(1, channels, inside, after if block else before)]
            layers += [(27, inside // 32, inside, after), (1, inside, 2 * inside, after)]
            layers += [] if block else [(1, channels, 2 * inside, after)]
            channels = 2 * inside
    parameters = sum(kernel * into * out + 2 * out for kernel, into, out, _ in layers)
    macs = sum(kernel * into * out * each for kernel, into, out, each in layers)
    assert parameters == 47_521_216
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = resnext101().eval()
        features = network(torch.empty(1, 3, 16, 112, 112))
    assert features.shape == (1, 2048, 1, 4, 4)
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    assert counter.get_total_flops() // 2 == macs


def test_narrower_ones_have_fewer_groups_of_the_published_size() -> None:
    network = resnext101(1 / 16)
    blocks = [layer for layer in network if isinstance(layer, Residual)]
    grouped = [
        layer
        for block in blocks
        for layer in block.branch
        if isinstance(layer, nn.Conv3d) and layer.kernel_size == (3, 3, 3)
    ]
    assert [layer.groups for layer in grouped] == [2] * 33
    sizes = [layer.out_channels // layer.groups for layer in grouped]
    assert sizes == [4] * 3 + [8] * 4 + [16] * 23 + [32] * 3
