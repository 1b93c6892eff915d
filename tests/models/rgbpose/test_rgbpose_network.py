"""RGBPose-Conv3D: who learns from whom, what is answered, and what is refused."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from tiny_rgbpose import CLASSES, JOINTS, tiny_network, tiny_shapes, tiny_views  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.base import LOGITS  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.rgbpose import POSE_LOGITS, RGB_LOGITS, RgbPoseNetwork  # noqa: E402
from posemill.models.rgbpose.lateral import Lateral  # noqa: E402

DIRECTIONS = ["both", "rgb-to-pose", "pose-to-rgb", "none"]


def reached(network: RgbPoseNetwork, logits: str) -> dict[str, bool]:
    """Of each part of the network, whether one pathway's loss teaches it anything."""
    outputs = network.train()(tiny_views(3))
    functional.cross_entropy(outputs[logits], torch.arange(3)).backward()
    parts: dict[str, bool] = {}
    for name, weight in network.named_parameters():
        head, tail = name.split(".")[:2]
        part = f"{head}.{tail}" if head == "classifier" else head
        taught = weight.grad is not None and bool(weight.grad.abs().sum() > 0)
        parts[part] = parts.get(part, False) or taught
    return parts


@pytest.mark.parametrize("lateral", DIRECTIONS)
def test_a_pathway_learns_of_the_others_loss_only_where_it_tells_it(lateral: str) -> None:
    of_rgb = reached(tiny_network(lateral), RGB_LOGITS)
    assert of_rgb["rgb"]
    assert of_rgb["classifier.rgb"]
    assert of_rgb["pose"] == (lateral in ("both", "pose-to-rgb"))
    assert not of_rgb["classifier.pose"]
    of_pose = reached(tiny_network(lateral), POSE_LOGITS)
    assert of_pose["pose"]
    assert of_pose["rgb"] == (lateral in ("both", "rgb-to-pose"))
    assert not of_pose["classifier.rgb"]


@pytest.mark.parametrize("lateral", DIRECTIONS)
def test_the_loss_reaches_every_weight(lateral: str) -> None:
    network = tiny_network(lateral)
    labels = torch.arange(3)
    network.loss(network(tiny_views(3)), labels).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


@pytest.mark.parametrize("lateral", DIRECTIONS)
def test_answers_depend_on_the_other_pathway_only_where_it_tells(lateral: str) -> None:
    network = tiny_network(lateral).eval()
    views, other = tiny_views(1), tiny_views(1, seed=2)
    with torch.no_grad():
        plain = network(views)
        other_pose = network({**views, "volume": other["volume"]})
        other_rgb = network({**views, "frames": other["frames"]})
    hears_pose = not torch.equal(plain[RGB_LOGITS], other_pose[RGB_LOGITS])
    hears_rgb = not torch.equal(plain[POSE_LOGITS], other_rgb[POSE_LOGITS])
    assert hears_pose == (lateral in ("both", "pose-to-rgb"))
    assert hears_rgb == (lateral in ("both", "rgb-to-pose"))


@pytest.mark.parametrize(("pictures", "poses"), [(16, 48), (8, 32), (2, 2), (1, 9)])
def test_any_number_of_poses_for_a_picture(pictures: int, poses: int) -> None:
    shapes = tiny_shapes(pictures, poses, size_px=9 if pictures == 1 else 8)
    network = tiny_network("both", shapes)
    outputs = network.train()(tiny_views(1, shapes))
    assert {name: tuple(each.shape) for name, each in outputs.items()} == dict.fromkeys(
        (LOGITS, RGB_LOGITS, POSE_LOGITS), (1, CLASSES)
    )
    assert network.laterals[0].to_rgb.stride[0] == poses // pictures


@pytest.mark.parametrize("ratio", [1, 3, 4, 6])
def test_what_is_told_is_centred_in_time(ratio: int) -> None:
    lateral = Lateral("both", rgb_channels=1, pose_channels=4, ratio=ratio).eval()
    for weight in (lateral.to_rgb.weight, lateral.to_pose[0].weight):
        nn.init.ones_(weight)
    rgb, pose = torch.zeros(1, 1, 8, 1, 1), torch.zeros(1, 4, 8 * ratio, 1, 1)
    rgb[0, 0, 5] = 1.0
    pose[0, 0, 5 * ratio] = 1.0
    told_rgb, told_pose = lateral(rgb, pose)
    # Picture 5 stands at frame 5 ratio of the poses; each hears of 3 frames around.
    heard = told_rgb[0, 1, :, 0, 0].nonzero().flatten().tolist()
    assert heard == [t for t in range(8) if abs(t * ratio - 5 * ratio) <= 3]
    heard = told_pose[0, 4, :, 0, 0].nonzero().flatten().tolist()
    assert heard == [t for t in range(8 * ratio) if abs(t - 5 * ratio) <= 3]
    assert torch.equal(told_rgb[:, :1], rgb)
    assert torch.equal(told_pose[:, :4], pose)


def test_softmax_of_the_answer_is_the_mean_of_both() -> None:
    network = tiny_network().eval()
    with torch.no_grad():
        for head in network.classifier.values():
            head.weight.mul_(50)
        outputs = network(tiny_views(4))
    rgb, pose = (outputs[name].softmax(dim=1) for name in (RGB_LOGITS, POSE_LOGITS))
    assert (rgb - pose).abs().max() > 0.05
    torch.testing.assert_close(outputs[LOGITS].softmax(dim=1), (rgb + pose) / 2)


def test_the_loss_is_the_sum_of_both() -> None:
    network = tiny_network()
    logits = torch.randn(2, 5, CLASSES, generator=torch.Generator().manual_seed(1))
    outputs = {RGB_LOGITS: logits[0], POSE_LOGITS: logits[1], LOGITS: torch.zeros(5, CLASSES)}
    labels = torch.tensor([0, 3, 1, 2, 2])
    by_hand = -logits.log_softmax(dim=2)[:, range(5), labels].mean(dim=1).sum()
    torch.testing.assert_close(network.loss(outputs, labels), by_hand)
    many = functional.one_hot(labels, CLASSES).float()
    each = -(many * logits.sigmoid().log() + (1 - many) * (-logits).sigmoid().log())
    torch.testing.assert_close(network.loss(outputs, many), each.mean(dim=(1, 2)).sum())


def test_evaluation_is_deterministic_and_of_each_clip_alone() -> None:
    network = tiny_network(dropout="0.5").eval()
    views = tiny_views(3)
    with torch.no_grad():
        first, again = network(views), network(views)
        alone = network({name: array[1:2] for name, array in views.items()})
    for name in first:
        assert torch.equal(first[name], again[name])
        torch.testing.assert_close(alone[name], first[name][1:2])
    assert not torch.equal(network.train()(views)[LOGITS], network(views)[LOGITS])


def test_a_network_takes_larger_views_than_it_was_made_for() -> None:
    network = tiny_network().eval()
    with torch.no_grad():
        assert network(tiny_views(1, tiny_shapes(3, 9, size_px=16)))[LOGITS].shape == (1, CLASSES)


def test_it_learns_eight_clips_by_heart() -> None:
    network = tiny_network("both", rgb_base="4").train()
    views, labels = tiny_views(8), torch.arange(8) % CLASSES
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(25):
        optimizer.zero_grad()
        network.loss(network(views), labels).backward()
        optimizer.step()
    with torch.no_grad():
        outputs = network(views)
    for name in (RGB_LOGITS, POSE_LOGITS, LOGITS):
        assert torch.equal(outputs[name].argmax(dim=1), labels), name


@pytest.mark.parametrize(
    ("frames", "volume", "message"),
    [
        ((8, 224, 224, 3), (17, 30, 56, 56), r"8 pictures and 30 frames .* 8 and 32, or 16 and 48"),
        ((8, 224, 224, 3), (17, 4, 56, 56), r"8 pictures and 4 frames"),
        ((8, 256, 256, 3), (17, 32, 56, 56), r"256 x 256 px and volumes of 56 x 56 .* of 64 x 64"),
        ((8, 224, 256, 3), (17, 32, 56, 56), r"224 x 256 px"),
        ((8, 224, 224, 4), (17, 32, 56, 56), r"3 colours, .* have 4; .* recipe rgbpose"),
        ((8, 28, 28, 3), (17, 32, 7, 7), r"7 x 7 px are too small .* 8 px a side"),
        ((1, 32, 32, 3), (17, 32, 8, 8), r"8 x 8 px are too small .* 9 px a side"),
        ((8, 3, 224, 224, 1), (17, 32, 56, 56), r"reads frames \(time, y, x, colour\)"),
        ((8, 224, 224, 3), (32, 56, 56), r"reads volume \(keypoint, time, y, x\)"),
    ],
)
def test_views_that_it_does_not_take(
    frames: tuple[int, ...], volume: tuple[int, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        create_model("rgbpose").network({"frames": frames, "volume": volume}, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rgb_blocks": "3,4,6"}, r"rgb_blocks .* 4 whole numbers .*model\.rgb_blocks=3,4,6,3"),
        ({"pose_blocks": "3,4,6,3"}, r"pose_blocks .* 3 whole numbers"),
        ({"lateral": "left"}, r"lateral must be both or rgb-to-pose or pose-to-rgb or none"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        create_model("rgbpose", settings)


def test_a_volume_has_as_many_channels_as_joints() -> None:
    assert tiny_network().pose[0].in_channels == JOINTS


def test_what_pictures_tell_poses_is_normalised_and_then_cut_off_at_nought() -> None:
    """Equal to the layers of the published code, one by one; poses tell pictures any number."""
    torch.manual_seed(0)
    lateral = Lateral("both", rgb_channels=6, pose_channels=8, ratio=4).train()
    rgb, pose = torch.randn(2, 6, 3, 4, 4), torch.randn(2, 8, 12, 4, 4)
    of_rgb, of_pose = lateral(rgb, pose)
    deconvolution = next(m for m in lateral.modules() if isinstance(m, nn.ConvTranspose3d))
    raw = functional.conv_transpose3d(
        rgb, deconvolution.weight, stride=(4, 1, 1), padding=(3, 0, 0), output_padding=(3, 0, 0)
    )
    mean, var = (f(raw, dim=(0, 2, 3, 4), keepdim=True) for f in (torch.mean, torch.var))
    count = raw.numel() / raw.shape[1]
    normalised = (raw - mean) / torch.sqrt(var * (count - 1) / count + 1e-5)
    assert (normalised < 0).any()
    torch.testing.assert_close(of_pose[:, 8:], normalised.clamp(min=0), rtol=1e-4, atol=1e-5)
    assert (of_rgb[:, 6:] < 0).any()
