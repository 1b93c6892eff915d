"""PoseConv3D's backbones against the published counts and shapes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.backbones.c3d import c3d  # noqa: E402
from posemill.models.backbones.layers3d import Backbone, Residual  # noqa: E402
from posemill.models.backbones.slowonly import slowonly  # noqa: E402
from posemill.models.backbones.x3d import x3d  # noqa: E402
from posemill.models.counts import count  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.poseconv3d import PoseConv3dModel  # noqa: E402

BACKBONES = ["slowonly", "slowonly-wd", "slowonly-hr", "c3d", "c3d-s", "x3d", "x3d-s"]
TINY = {
    "slowonly": "1,2,1",
    "slowonly-wd": "1,1,1",
    "slowonly-hr": "1,1,1,1",
    "c3d": "1,1,1,1,2",
    "c3d-s": "1,1,1,2",
    "x3d": "1,2,1",
    "x3d-s": "1,1,1",
}


# Parameters (M) that the paper prints, then parameters and multiply-accumulates (G) of the
# convolutions and normalisations without the classifier, counted by hand.
@pytest.mark.parametrize(
    ("backbone", "settings", "shape", "paper", "parameters", "macs"),
    [
        ("slowonly", {}, (17, 48, 56, 56), 2.0, "1.994", 15.63),
        ("slowonly-wd", {}, (17, 48, 56, 56), 7.9, "7.898", 54.50),
        ("slowonly-hr", {}, (17, 48, 112, 112), 8.0, "7.946", 72.23),
        ("c3d", {}, (17, 48, 56, 56), 6.9, "6.929", 25.10),
        ("c3d-s", {}, (17, 48, 56, 56), 3.4, "3.389", 16.78),
        ("x3d", {}, (17, 48, 56, 56), 0.531, "0.5307", 1.016),
        ("x3d-s", {}, (17, 48, 56, 56), 0.241, "0.2415", 0.569),
        # Section 4.2, Volleyball. The paper prints .52 M, 2% more than the layers have; with
        # their running statistics and the classifier of 8 classes it would be .517.
        ("slowonly", {"base": "16"}, (17, 12, 64, 64), None, "0.508", 1.604),
    ],
)
def test_counts_equal_the_published_ones(
    backbone: str,
    settings: dict[str, str],
    shape: tuple[int, ...],
    paper: float | None,
    parameters: str,
    macs: float,
) -> None:
    model = create_model("poseconv3d", {"backbone": backbone, **settings})
    shapes = {"volume": shape}
    with torch.device("meta"):
        counts = count(model.network(shapes, 60), shapes, classifier=False)
    assert f"{counts.parameters / 1e6:.{len(parameters) - 2}f}" == parameters
    assert counts.macs == pytest.approx(macs * 1e9, rel=1e-3)
    if paper is not None:
        assert counts.parameters == pytest.approx(paper * 1e6, rel=0.01)


def test_parameters_of_c3d_s_by_hand() -> None:
    kernels = 17 * 32 + 32 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256
    norms = 2 * (32 + 64 + 128 + 128 + 256 + 256)
    made = c3d(17, 32, (1, 1, 2, 2))
    assert sum(weight.numel() for weight in made.parameters()) == 27 * kernels + norms == 3_389_472


@pytest.mark.parametrize(
    ("build", "base", "blocks", "shape"),
    [
        # Time is halved by the last stage alone.
        (slowonly, 2, (1, 2, 1), (1, 4 * 2 * 4, 6, 3, 4)),
        (slowonly, 2, (1, 1, 1, 1), (1, 4 * 2 * 8, 6, 2, 2)),
        (c3d, 2, (1, 1, 1, 1, 1), (1, 2 * 8, 12, 2, 3)),
        (x3d, 4, (1, 1, 1), (1, 36, 12, 2, 2)),  # 2.25 x 16 channels
    ],
)
def test_shapes_of_features(
    build: Callable[..., Backbone], base: int, blocks: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    backbone = build(2, base, blocks)
    features = backbone(torch.rand(1, 2, 12, 20, 25))
    assert features.shape == shape
    assert features.shape[1] == backbone.out_channels


def test_slowonly_keeps_time_until_its_last_stage() -> None:
    layers = slowonly(2, 2, (1, 2, 1))
    volume, times = torch.rand(1, 2, 13, 9, 9), []
    for layer in layers:
        volume = layer(volume)
        if isinstance(layer, Residual):
            times.append(volume.shape[2])
    assert times == [13, 13, 13, 7]


@pytest.mark.parametrize(
    ("build", "blocks", "frames"),
    [
        # A frame before and one after for each block of the last but one stage, and for the
        # first of the last stage, which then halves time: two frames for each of its others.
        (slowonly, (1, 4, 3), 1 + 2 * 4 + 2 + 4 * 2),
        (slowonly, (2, 2, 1), 1 + 2 * 2 + 2),
        (c3d, (1, 1, 1, 1), 1 + 2 * 4),
        (x3d, (1, 2, 1), 1 + 4 + 2 * 4),
    ],
)
def test_frames_that_one_feature_sees(
    build: Callable[..., Backbone], blocks: tuple[int, ...], frames: int
) -> None:
    torch.manual_seed(2)
    backbone = opened(build(2, 4, blocks)).eval()
    volume = torch.rand(1, 2, 41, 20, 20, requires_grad=True)
    features = backbone(volume)
    features[0, :, features.shape[2] // 2].sum().backward()
    assert volume.grad is not None
    seen = volume.grad.abs().sum(dim=(0, 1, 3, 4)).nonzero().flatten()
    assert int(seen[-1] - seen[0]) + 1 == frames


def test_c3d_pools_maxima_over_pixels_and_not_before_its_last_layers() -> None:
    kinds = [type(layer) for layer in c3d(17, 4, (1, 1, 2, 2, 2))]
    layers = [kind for kind in kinds if kind in (nn.Conv3d, nn.MaxPool3d)]
    conv, pool = nn.Conv3d, nn.MaxPool3d
    assert layers == [conv, pool, conv, pool, conv, conv, pool, conv, conv, conv, conv]


def opened(network: nn.Module) -> nn.Module:
    """The network with branches that count from the start."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.ones_(module.weight)
    return network


def test_branches_of_blocks_start_at_nothing() -> None:
    network = PoseConv3dModel(backbone="x3d-s", base=4, blocks="1,1,1").network(
        {"volume": (2, 3, 17, 17)}, 3
    )
    blocks = [module for module in network.modules() if isinstance(module, Residual)]
    assert len(blocks) == 3
    maps = torch.rand(2, blocks[0].branch[0].in_channels, 3, 4, 4)
    shortcut = blocks[0].shortcut(maps)
    torch.testing.assert_close(blocks[0](maps), shortcut.relu())


def test_weights_start_as_in_the_published_code() -> None:
    torch.manual_seed(5)
    network = PoseConv3dModel().network({"volume": (17, 4, 20, 20)}, 400)
    stem = network.features[0].weight.detach()
    # He et al.: variance 2 over outputs times the kernel.
    assert stem.std() == pytest.approx((2 / (32 * 49)) ** 0.5, rel=0.02)
    assert network.classifier.weight.detach().std() == pytest.approx(0.01, rel=0.02)
    assert not network.classifier.bias.any()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_gradients_reach_every_weight(backbone: str) -> None:
    torch.manual_seed(1)
    settings = {"backbone": backbone, "base": "4", "blocks": TINY[backbone], "dropout": "0.1"}
    shape = (3, 4, 17, 20)
    network = opened(create_model("poseconv3d", settings).network({"volume": shape}, 4))
    logits = network({"volume": torch.rand(3, *shape)})["logits"]
    assert logits.shape == (3, 4)
    nn.functional.cross_entropy(logits, torch.arange(3)).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_a_small_slowonly_for_studies() -> None:
    settings = {"base": "8", "blocks": "1,4,3"}
    network = create_model("poseconv3d", settings).network({"volume": (17, 16, 20, 20)}, 12)
    blocks = [module for module in network.features if isinstance(module, Residual)]
    widths = [block.branch[0].out_channels for block in blocks]
    assert widths == [8] + [16] * 4 + [32] * 3
    over_time = [block.branch[0].kernel_size[0] for block in blocks]
    assert over_time == [1] + [3] * 7


def test_refusals_name_what_is_wrong() -> None:
    model = PoseConv3dModel()
    with pytest.raises(InputError, match=r"poseconv3d reads volume .*joints \(8, 17, 64, 64\)"):
        model.network({"joints": (8, 17, 64, 64)}, 3)
    with pytest.raises(InputError, match=r"reads volume .*\(2, 17, 48, 64, 64\).* volume or limb"):
        model.network({"volume": (2, 17, 48, 64, 64)}, 3)  # two people apart
    with pytest.raises(InputError, match=r"64 x 8 px are too small .* 9 px a side"):
        model.network({"volume": (17, 48, 64, 8)}, 3)
    with pytest.raises(InputError, match=r"16 x 16 px are too small .* 17 px a side"):
        PoseConv3dModel(backbone="x3d").network({"volume": (17, 48, 16, 16)}, 3)
    with pytest.raises(InputError, match=r"backbone must be slowonly or .*--set model\.backbone="):
        create_model("poseconv3d", {"backbone": "resnet"})


@pytest.mark.parametrize("blocks", ["4,6", "4,6,3,1", "4,0,3", "4,6,65", "4,6,", "4;6;3", "a,b,c"])
def test_blocks_that_cannot_be_are_refused(blocks: str) -> None:
    with pytest.raises(InputError, match=r"3 whole numbers .*--set model\.blocks=4,6,3"):
        create_model("poseconv3d", {"blocks": blocks})
