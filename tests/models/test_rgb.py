"""The network over pictures alone."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.counts import count  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.rgb import RgbModel  # noqa: E402

BACKBONES = ["bn-inception", "i3d", "resnext101", "slowonly-r50"]


# Parameters (M), and multiply-accumulates (G) of the clips that the papers train on.
@pytest.mark.parametrize(
    ("backbone", "shape", "parameters", "macs"),
    [
        ("i3d", (64, 224, 224, 3), 12_287_264, 111.150277),
        # As MMAction2 counts it: 32.45 M with 400 classes.
        ("slowonly-r50", (8, 224, 224, 3), 31_634_496, 41.740009),
    ],
)
def test_counts_without_the_classifier(
    backbone: str, shape: tuple[int, ...], parameters: int, macs: float
) -> None:
    shapes = {"frames": shape}
    with torch.device("meta"):
        network = create_model("rgb", {"backbone": backbone}).network(shapes, 400)
    counts = count(network, shapes, classifier=False)
    assert counts.parameters == parameters
    assert counts.macs == pytest.approx(macs * 1e9, rel=1e-6)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_gradients_reach_every_weight(backbone: str) -> None:
    torch.manual_seed(4)
    model = create_model("rgb", {"backbone": backbone, "width": "0.04", "dropout": "0.1"})
    shape = (4, 40, 33, 3)
    network = model.network({"frames": shape, "poses": (3, 25, 4)}, 4)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.ones_(module.weight)  # branches that start at nothing
    logits = network({"frames": torch.rand(3, *shape) * 255})["logits"]
    assert logits.shape == (3, 4)
    network.loss({"logits": logits}, torch.arange(3)).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        # A filter of so few may be dead, but no layer.
        assert weight.ndim < 4 or weight.grad.any(), name


def test_the_mean_over_time_and_pixels_is_classified() -> None:
    network = RgbModel(backbone="i3d", width=0.05).network({"frames": (9, 33, 33, 3)}, 3).eval()
    features = torch.rand(2, network.features.out_channels, 2, 2, 2)
    network.features.forward = lambda _: features  # type: ignore[method-assign]
    mean = features.reshape(2, -1, 8).mean(2)
    expected = mean @ network.classifier.weight.T + network.classifier.bias
    logits = network({"frames": torch.empty(2, 9, 33, 33, 3)})["logits"]
    torch.testing.assert_close(logits, expected)


def test_refusals_name_what_is_wrong() -> None:
    model = RgbModel(width=0.05)
    with pytest.raises(
        InputError, match=r"rgb reads frames .*volume \(17, 48, 64, 64\); .*rgbpose"
    ):
        model.network({"volume": (17, 48, 64, 64)}, 3)
    with pytest.raises(InputError, match=r"frames of 3 colours, and those of a view have 1"):
        model.network({"frames": (8, 64, 64, 1)}, 3)
    with pytest.raises(InputError, match=r"1 frames of 32 x 32 px are too few"):
        model.network({"frames": (1, 32, 32, 3)}, 3)
    with pytest.raises(InputError, match=r"backbone must be bn-inception or i3d"):
        create_model("rgb", {"backbone": "c3d"})
    with pytest.raises(InputError, match=r"width must be from 0.01 to 4"):
        create_model("rgb", {"width": "0"})
