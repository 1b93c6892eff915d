"""Weights under the names of public releases, into backbones and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

torch = pytest.importorskip("torch")

from published_names import (  # noqa: E402
    caffe_bn_inception,
    mmaction_resnet,
    pytorch_i3d,
    torchvision_resnet,
)
from torch import Tensor, nn  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.backbones.bn_inception import BnInception  # noqa: E402
from posemill.models.backbones.i3d import I3d  # noqa: E402
from posemill.models.backbones.published import (  # noqa: E402
    Report,
    fitting_published,
    tensors_of,
)
from posemill.models.backbones.resnext3d import resnext101  # noqa: E402
from posemill.models.backbones.slowonly import slowonly, slowonly_r50  # noqa: E402
from posemill.models.backbones.x3d import x3d  # noqa: E402
from posemill.models.rgb import RgbModel  # noqa: E402

BLOCKS = (1, 2, 1, 1)


def released(network: nn.Module, names: list[str]) -> dict[str, Tensor]:
    """Other weights than the network's, of its shapes, under a release's names."""
    generator = torch.Generator().manual_seed(7)
    own = network.state_dict().values()
    return {
        name: torch.rand(each.shape, generator=generator).to(each.dtype)
        for name, each in zip(names, own, strict=True)
    }


def load_published(network: nn.Module, state: Mapping[str, Tensor], origin: str) -> Report:
    """As training begins with weights of a file."""
    tensors, report = fitting_published(network, state, origin)
    network.load_state_dict(tensors, strict=False)
    return report


def slow() -> nn.Module:
    return slowonly_r50(2, BLOCKS)


@pytest.mark.parametrize(
    ("build", "names", "source"),
    [
        (slow, mmaction_resnet(BLOCKS), "MMAction2"),
        (slow, torchvision_resnet(BLOCKS), "torchvision"),
        (lambda: slowonly(17, 2, (1, 2, 1)), mmaction_resnet((1, 2, 1)), "MMAction2"),
        (lambda: resnext101(1 / 32), torchvision_resnet((3, 4, 23, 3)), "torchvision"),
        (lambda: I3d(0.04), pytorch_i3d(), "pytorch-i3d"),
    ],
)
def test_weights_come_back(build: Callable[[], nn.Module], names: list[str], source: str) -> None:
    network = build()
    file = released(network, names)
    report = load_published(network, tensors_of(file, "w.pth"), "w.pth")
    for own, published in zip(network.state_dict().values(), file.values(), strict=True):
        torch.testing.assert_close(own, published, rtol=0, atol=0)
    bare = [name.removeprefix("backbone.") for name in names]
    assert (report.source, report.fitted) == (source, tuple(bare))
    assert (report.inflated, report.left_out, report.kept) == ((), (), ())
    assert str(report) == f"w.pth: {len(names)} tensors of {source}"


def test_bn_inception_of_caffe_reads_blue_first_and_rows_of_normalisations() -> None:
    network, before = BnInception(0.05).eval(), BnInception(0.05).eval()
    names = caffe_bn_inception()
    file = {name: each / 9 + 0.01 for name, each in released(network, names).items()}
    before.load_state_dict(dict(zip(before.state_dict(), file.values(), strict=True)))
    rows = {
        name: each[None] if "_bn." in name and each.ndim else each for name, each in file.items()
    }
    rows |= {"last_linear.weight": torch.zeros(1000, 51), "last_linear.bias": torch.zeros(1000)}
    report = load_published(network, rows, "bn.pth")
    own, published = network.state_dict(), before.state_dict()
    first = "early.conv1_7x7_s2.conv.weight"
    torch.testing.assert_close(own.pop(first).flip(1), published.pop(first), rtol=0, atol=0)
    torch.testing.assert_close(own, published, rtol=0, atol=0)
    blue_last = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        seen, expected = network.early[0](blue_last), before.early[0](blue_last.flip(1))
    torch.testing.assert_close(seen, expected)
    assert report.left_out == ("last_linear.bias", "last_linear.weight")
    assert str(report) == (
        f"bn.pth: {len(names)} tensors of Caffe's BN-Inception; its classifier was left out: "
        "last_linear.bias, last_linear.weight"
    )


def test_filters_over_pictures_are_spread_over_time() -> None:
    network = slow()
    file = released(network, torchvision_resnet(BLOCKS))
    flat = {name: each[:, :, 0] if each.ndim == 5 else each for name, each in file.items()}
    report = load_published(network, flat | {"fc.weight": torch.zeros(9, 64)}, "resnet50.pth")
    for own, published in zip(network.state_dict().values(), flat.values(), strict=True):
        if own.ndim == 5:
            # The same at each of n times, divided by n.
            for moment in own.unbind(2):
                torch.testing.assert_close(moment * own.shape[2], published)
        else:
            torch.testing.assert_close(own, published, rtol=0, atol=0)
    over_time = [each for each in network.state_dict().values() if each.ndim == 5]
    assert {each.shape[2] for each in over_time} == {1, 3}
    assert len(report.inflated) == len(over_time)
    assert re.search(r"torchvision, \d+ of them inflated over time; .*: fc.weight$", str(report))


def test_old_files_have_no_counters() -> None:
    network = I3d(0.04)
    file = released(network, pytorch_i3d())
    old = {name: each for name, each in file.items() if each.ndim}
    report = load_published(network, old, "rgb_imagenet.pt")
    assert len(report.kept) == 57
    assert all(name.endswith("bn.num_batches_tracked") for name in report.kept)


def test_the_backbone_inside_a_network_is_found() -> None:
    for backbone, names in (("i3d", pytorch_i3d()), ("bn-inception", caffe_bn_inception())):
        network = RgbModel(backbone=backbone, width=0.04).network({"frames": (9, 64, 64, 3)}, 3)
        classifier = network.classifier.weight.clone()
        file = released(network.features, names)
        load_published(network, file, "weights.pt")
        loaded = network.features.state_dict()
        torch.testing.assert_close(list(loaded.values())[1:], list(file.values())[1:])
        torch.testing.assert_close(network.classifier.weight, classifier)


def test_what_fits_is_known_without_memory() -> None:
    file = released(I3d(0.04), pytorch_i3d())
    with torch.device("meta"):
        network = RgbModel(backbone="i3d", width=0.04).network({"frames": (9, 64, 64, 3)}, 3)
    tensors, report = fitting_published(network, file, "w.pth")
    own = [name for name in network.state_dict() if not name.startswith("classifier.")]
    assert list(tensors) == own
    assert len(report.fitted) == len(own)
    assert all(each.is_meta for each in network.parameters())


def refusal(network: nn.Module, file: dict[str, Tensor]) -> str:
    before = {name: each.clone() for name, each in network.state_dict().items()}
    with pytest.raises(InputError) as caught:
        load_published(network, file, "w.pth")
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_another_architecture_is_refused_in_a_line() -> None:
    line = refusal(I3d(0.04), released(slow(), torchvision_resnet(BLOCKS)))
    assert re.match(
        r"w.pth: are weights of another architecture: 0 tensors fit of the 285 that the backbone "
        r"has, by the names of pytorch-i3d; missing or of another shape: "
        r"Conv3d_1a_7x7.conv3d.weight, \S+, \S+ and 282 more; in the file and not in the "
        r"backbone: bn1.bias, bn1.\w+, bn1.\w+ and \d+ more; give weights of",
        line,
    )


def test_a_deeper_and_a_wider_network_are_refused() -> None:
    deeper = slowonly_r50(2, (1, 2, 2, 1))
    line = refusal(slow(), released(deeper, torchvision_resnet((1, 2, 2, 1))))
    assert "missing" not in line
    assert "in the file and not in the backbone: layer3.1.bn1.bias, " in line
    wider = released(slowonly_r50(3, BLOCKS), mmaction_resnet(BLOCKS))
    line = refusal(slow(), tensors_of(wider, "w.pth"))
    assert (
        "MMAction2; missing or of another shape: conv1.conv.weight (3, 3, 1, 7, 7) for (2," in line
    )


def test_one_tensor_too_few_is_refused() -> None:
    file = released(slow(), torchvision_resnet(BLOCKS))
    del file["layer4.0.downsample.1.running_var"]
    line = refusal(slow(), file)
    assert "of another shape: layer4.0.downsample.1.running_var; give weights" in line


def test_networks_without_one_such_backbone_are_refused() -> None:
    refused = "one backbone that such weights are known of, and this one has {}; give the last.pt"
    assert refused.format("none") in refusal(x3d(3, 2, (1, 1, 1)), {"a": torch.zeros(1)})
    both = nn.ModuleList([slow(), I3d(0.04)])
    assert refused.format("2") in refusal(both, {"a": torch.zeros(1)})
