"""BN-Inception against the table of its public release."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from posemill.models.backbones.bn_inception import BnInception, BnInceptionPerFrame  # noqa: E402
from posemill.models.backbones.inception import Branches  # noqa: E402

# In; 1x1; 3x3 reduce, 3x3; double 3x3 reduce, double 3x3; pool proj; pixels in and out.
TABLE = [
    (192, 64, 64, 64, 64, 96, 32, 28, 28),
    (256, 64, 64, 96, 64, 96, 64, 28, 28),
    (320, 0, 128, 160, 64, 96, 0, 28, 14),
    (576, 224, 64, 96, 96, 128, 128, 14, 14),
    (576, 192, 96, 128, 96, 128, 128, 14, 14),
    (576, 160, 128, 160, 128, 160, 128, 14, 14),
    (608, 96, 128, 192, 160, 192, 128, 14, 14),
    (608, 0, 128, 192, 192, 256, 0, 14, 7),
    (1056, 352, 192, 320, 160, 224, 128, 7, 7),
    (1024, 352, 192, 320, 192, 224, 128, 7, 7),
]


def test_parameters_and_macs_by_hand() -> None:
    layers = [(49, 3, 64, 112), (1, 64, 64, 56), (9, 64, 192, 56)]
    for into, one, reduce, three, double_reduce, double, proj, before, after in TABLE:
        layers += [(1, into, each, before) for each in (one, reduce, double_reduce, proj)]
        layers += [(9, double_reduce, double, before)]
        layers += [(9, reduce, three, after), (9, double, double, after)]
    # A bias and two numbers of the normalisation a channel.
    parameters = sum(kernel * into * out + 3 * out for kernel, into, out, _ in layers)
    macs = sum(kernel * into * out * pixels**2 for kernel, into, out, pixels in layers)
    # The release's 11.295 M are these and 1000 classes.
    assert parameters == 10_270_240
    assert parameters + 1024 * 1000 + 1000 == 11_295_240
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = BnInception().eval()
        middle, last = network(torch.empty(1, 3, 224, 224))
    assert middle.shape == (1, 256, 14, 14)
    assert last.shape == (1, 1024, 7, 7)
    assert (network.middle_channels, network.out_channels) == (256, 1024)
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    assert counter.get_total_flops() // 2 == macs


@pytest.mark.parametrize("size", [(32, 32), (47, 64), (56, 39)])
def test_any_size_and_width(size: tuple[int, int]) -> None:
    network = BnInception(0.05).eval()
    with torch.inference_mode():
        middle, last = network(torch.rand(2, 3, *size))
    halves = [[-(-each // 2**times) for each in size] for times in (4, 5)]
    assert [list(maps.shape[2:]) for maps in (middle, last)] == halves
    assert (middle.shape[1], last.shape[1]) == (network.middle_channels, network.out_channels)


def test_even_maps_are_pooled_as_caffe_does_and_blocks_are_what_they_were() -> None:
    network = BnInception(0.05).eval()
    block = network.early.inception_3c
    maps = torch.rand(1, block["3x3_reduce"].conv.in_channels, 6, 8)
    caffe = nn.functional.max_pool2d(maps, 3, 2, ceil_mode=True)
    torch.testing.assert_close(block(maps)[:, -maps.shape[1] :], caffe, rtol=0, atol=0)
    blocks = [layer for layer in network.modules() if isinstance(layer, Branches)]
    kinds = [type(each["pool"]) for each in blocks]
    mean, most, halving = nn.AvgPool2d, nn.MaxPool2d, nn.Sequential
    in_order = [mean] * 2 + [halving] + [mean] * 4 + [halving, mean, most]
    assert kinds == in_order


def test_the_middle_is_one_layer_of_4e_before_its_stride() -> None:
    torch.manual_seed(2)
    network = BnInception(0.05).eval()
    seen = {}
    block = network.inception_4e
    block["double_3x3_2"].register_forward_pre_hook(lambda _, given: seen.update(given=given[0]))
    with torch.inference_mode():
        middle, _ = network(torch.rand(1, 3, 40, 40))
    assert middle is seen["given"]
    assert (middle >= 0).all()


def test_frames_on_their_own() -> None:
    torch.manual_seed(1)
    per_frame = BnInceptionPerFrame(0.05).eval()
    volume = torch.rand(2, 3, 4, 32, 40)
    with torch.inference_mode():
        features = per_frame(volume)
        one = per_frame.network(volume[1:, :, 2])[1]
    assert features.shape == (2, per_frame.out_channels, 4, 1, 2)
    torch.testing.assert_close(features[1, :, 2], one[0])
