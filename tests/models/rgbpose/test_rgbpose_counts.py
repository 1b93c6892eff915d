"""Costs of RGBPose-Conv3D against table 12's layers, added up by hand."""

from __future__ import annotations

from functools import cache

import pytest

torch = pytest.importorskip("torch")

from bottleneck_counts import Layers  # noqa: E402

from posemill.models.counts import Counts, count  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.rgbpose import RgbPoseNetwork  # noqa: E402

PUBLISHED = {"frames": (8, 224, 224, 3), "volume": (17, 32, 56, 56)}
HEADLINE = {"frames": (16, 224, 224, 3), "volume": (17, 48, 56, 56)}


def pathways(pictures: int, poses: int, *, tells_rgb: bool, tells_pose: bool) -> Layers:
    """Both pathways, with first blocks that read what they are told."""
    layers = Layers()
    more_rgb = (128, 256) if tells_rgb else (0, 0)
    layers.conv((1, 7, 7), (3, 64), (pictures, 112, 112))
    layers.stage(3, 64, 64, time=1, sizes=(56, 56), frames=pictures)
    layers.stage(4, 256, 128, time=1, sizes=(56, 28), frames=pictures)
    layers.stage(6, 512 + more_rgb[0], 256, time=3, sizes=(28, 14), frames=pictures)
    layers.stage(3, 1024 + more_rgb[1], 512, time=3, sizes=(14, 7), frames=pictures)
    more_pose = (32, 64) if tells_pose else (0, 0)
    layers.conv((1, 7, 7), (17, 32), (poses, 56, 56))
    layers.stage(4, 32, 32, time=1, sizes=(56, 28), frames=poses)
    layers.stage(6, 128 + more_pose[0], 64, time=3, sizes=(28, 14), frames=poses)
    layers.stage(3, 256 + more_pose[1], 128, time=3, sizes=(14, 7), frames=poses)
    return layers


def by_hand(pictures: int, poses: int, lateral: str) -> Layers:
    tells_rgb, tells_pose = lateral in ("both", "pose-to-rgb"), lateral in ("both", "rgb-to-pose")
    layers = pathways(pictures, poses, tells_rgb=tells_rgb, tells_pose=tells_pose)
    # Kernels are laid on each picture: the strided one, and the transposed one from it.
    if tells_rgb:
        layers.conv((7, 1, 1), (128, 128), (pictures, 28, 28), norm=False)
        layers.conv((7, 1, 1), (256, 256), (pictures, 14, 14), norm=False)
    if tells_pose:
        layers.conv((7, 1, 1), (512, 32), (pictures, 28, 28))
        layers.conv((7, 1, 1), (1024, 64), (pictures, 14, 14))
    return layers


@cache
def made(lateral: str, *, headline: bool = False) -> tuple[RgbPoseNetwork, Counts]:
    shapes = HEADLINE if headline else PUBLISHED
    with torch.device("meta"):
        network = create_model("rgbpose", {"lateral": lateral}).network(shapes, 60)
    assert isinstance(network, RgbPoseNetwork)
    return network, count(network, shapes, classifier=False)


def test_counts_of_the_published_network() -> None:
    layers = by_hand(8, 32, "both")
    assert f"{layers.parameters / 1e6:.2f}" == "35.99"  # the authors' code has 36.0 M
    assert layers.macs == pytest.approx(58.0e9, rel=1e-3)
    network, counts = made("both")
    assert counts.parameters == layers.parameters == 35_994_208
    assert counts.macs == pytest.approx(layers.macs, rel=1e-3)
    assert network.classifier["rgb"].in_features == 2048
    assert network.classifier["pose"].in_features == 512


@pytest.mark.parametrize("lateral", ["rgb-to-pose", "pose-to-rgb", "none"])
def test_counts_of_the_ablations(lateral: str) -> None:
    layers = by_hand(8, 32, lateral)
    _, counts = made(lateral)
    assert counts == Counts(layers.parameters, layers.macs)


def test_late_fusion_alone_costs_what_both_models_cost() -> None:
    _, counts = made("none")
    with torch.device("meta"):
        pose = create_model("poseconv3d").network({"volume": PUBLISHED["volume"]}, 60)
        rgb = create_model("rgb").network({"frames": PUBLISHED["frames"]}, 60)
    numbers = [
        sum(weight.numel() for weight in network.features.parameters()) for network in (rgb, pose)
    ]
    assert counts.parameters == sum(numbers)


def test_headline_network_has_the_same_weights_and_other_strides() -> None:
    layers = by_hand(16, 48, "both")
    network, counts = made("both", headline=True)
    assert counts == Counts(layers.parameters, layers.macs)
    assert counts.parameters == made("both")[1].parameters
    assert network.laterals[0].to_rgb.stride == (3, 1, 1)
    assert network.laterals[0].to_pose[0].stride == (3, 1, 1)


@pytest.mark.parametrize(
    ("lateral", "rgb_inputs", "pose_inputs"),
    [
        ("both", [640, 1280], [160, 320]),
        ("pose-to-rgb", [640, 1280], [128, 256]),
        ("rgb-to-pose", [512, 1024], [160, 320]),
        ("none", [512, 1024], [128, 256]),
    ],
)
def test_channels_that_the_first_blocks_read(
    lateral: str, rgb_inputs: list[int], pose_inputs: list[int]
) -> None:
    weights = made(lateral)[0].state_dict()
    # Four layers before the blocks: 3 + 4 and 6 more of the pictures, 4 and 6 more of the poses.
    for pathway, starts, inputs in (("rgb", (11, 17), rgb_inputs), ("pose", (8, 14), pose_inputs)):
        for way in ("branch", "shortcut"):
            names = [f"{pathway}.{start}.{way}.0.weight" for start in starts]
            assert [weights[name].shape[1] for name in names] == inputs


def test_poses_tell_by_a_convolution_alone_and_pictures_by_a_normalised_one() -> None:
    names = set(made("both")[0].laterals[1].state_dict())
    norm = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    assert names == {"to_rgb.weight", "to_pose.0.weight"} | {f"to_pose.1.{each}" for each in norm}
