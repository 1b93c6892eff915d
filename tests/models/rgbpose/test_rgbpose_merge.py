"""A merged network answers as the two models that it was made of."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from tiny_rgbpose import CLASSES, JOINTS, opened, tiny_network, tiny_views  # noqa: E402
from torch import Tensor  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.backbones.slowonly import slowonly  # noqa: E402
from posemill.models.base import LOGITS  # noqa: E402
from posemill.models.poseconv3d import PoseConv3d, PoseConv3dModel  # noqa: E402
from posemill.models.rgb import RgbModel, RgbNetwork  # noqa: E402
from posemill.models.rgbpose import (  # noqa: E402
    POSE_LOGITS,
    RGB_LOGITS,
    MergeReport,
    RgbPoseNetwork,
    merge_pretrained,
)

DIRECTIONS = ["both", "rgb-to-pose", "pose-to-rgb", "none"]
WHOLE = {"rgb_blocks": ""}
"""The model rgb has all blocks of a ResNet-50, here of 2 channels."""


def rgb_model(width: float = 2 / 64, num_classes: int = CLASSES) -> RgbNetwork:
    torch.manual_seed(7)
    return opened(RgbModel(width=width).network({"frames": (2, 32, 32, 3)}, num_classes)).eval()


def pose_model(blocks: str = "1,2,1", num_classes: int = CLASSES, **settings: str) -> PoseConv3d:
    torch.manual_seed(8)
    model = PoseConv3dModel(blocks=blocks, **{"base": 4, **settings})  # type: ignore[arg-type]
    return opened(model.network({"volume": (JOINTS, 6, 17, 17)}, num_classes)).eval()


def all_frames(trained: PoseConv3d) -> PoseConv3d:
    """The same weights in a backbone that keeps all frames."""
    kept = PoseConv3d(slowonly(JOINTS, 4, (1, 2, 1), time_stride=1), CLASSES, 0.0)
    kept.load_state_dict(trained.state_dict())
    return kept.eval()


def merged(lateral: str) -> tuple[RgbPoseNetwork, RgbNetwork, PoseConv3d, MergeReport]:
    network, rgb, pose = tiny_network(lateral, **WHOLE), rgb_model(), pose_model()
    report = merge_pretrained(network, rgb.state_dict(), pose.state_dict())
    return network.eval(), rgb, pose, report


def answers(network: torch.nn.Module, name: str = LOGITS) -> Tensor:
    with torch.no_grad():
        given: Tensor = network(tiny_views(3))[name]
    return given


@pytest.mark.parametrize("lateral", DIRECTIONS)
def test_both_pathways_answer_as_the_models_that_they_are_from(lateral: str) -> None:
    network, rgb, pose, _ = merged(lateral)
    rgb_alone, pose_alone = answers(rgb), answers(all_frames(pose))
    assert rgb_alone.std() > 1e-3  # answers that differ at all
    assert pose_alone.std() > 1e-3
    torch.testing.assert_close(answers(network, RGB_LOGITS), rgb_alone, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(answers(network, POSE_LOGITS), pose_alone, rtol=1e-5, atol=1e-6)
    late = (rgb_alone.softmax(dim=1) + pose_alone.softmax(dim=1)) / 2
    torch.testing.assert_close(answers(network).softmax(dim=1), late)


def test_a_network_that_is_not_merged_answers_otherwise() -> None:
    network, rgb = tiny_network("both", **WHOLE).eval(), rgb_model()
    assert not torch.allclose(answers(network, RGB_LOGITS), answers(rgb), atol=1e-3)


def test_what_is_told_counts_for_nothing_until_it_is_trained() -> None:
    network, _, _, report = merged("both")
    with torch.no_grad():
        for name, weight in network.laterals.named_parameters():
            assert weight.abs().sum() > 0 or name.endswith("bias")
            weight.mul_(100)
    assert torch.equal(answers(network, RGB_LOGITS), answers(merged("both")[0], RGB_LOGITS))
    network.loss(network(tiny_views(3)), torch.arange(3)).backward()
    weights = dict(network.named_parameters())
    told = [weights[name].grad[:, -network.told_inputs[name] :] for name in report.padded]
    assert all(grad.abs().sum() > 0 for grad in told)


def test_the_report_tells_what_became_of_every_tensor() -> None:
    network, rgb, pose, report = merged("both")
    # Branch and shortcut of the first blocks of two stages, in both pathways.
    assert len(report.padded) == 2 * 2 * 2
    assert report.padded[0] == "rgb.11.branch.0.weight"
    assert all(name.startswith("laterals.") for name in report.new)
    assert report.num_taken + 8 == len(rgb.state_dict()) + len(pose.state_dict())
    assert report.num_taken + 8 + len(report.new) == len(network.state_dict())
    assert merged("none")[3] == MergeReport(report.num_taken + 8, (), ())
    assert len(merged("pose-to-rgb")[3].padded) == 4


@pytest.mark.parametrize("lateral", ["both", "none"])
def test_statistics_and_classifiers_come_along(lateral: str) -> None:
    network, rgb, pose, _ = merged(lateral)
    state, given = network.state_dict(), {"rgb": rgb.state_dict(), "pose": pose.state_dict()}
    assert torch.equal(state["rgb.1.running_mean"], given["rgb"]["features.trunk.1.running_mean"])
    assert torch.equal(state["pose.1.running_var"], given["pose"]["features.1.running_var"])
    for name in ("rgb", "pose"):
        assert torch.equal(state[f"classifier.{name}.weight"], given[name]["classifier.weight"])


State = dict[str, Tensor]


def state_of(network: torch.nn.Module) -> State:
    return dict(network.state_dict())


def without(state: State, name: str) -> State:
    return {key: tensor for key, tensor in state.items() if key != name}


@pytest.mark.parametrize(
    ("rgb", "message"),
    [
        (lambda: state_of(rgb_model(width=4 / 64)), r"as classifier\.rgb\.weight \(4 x 128, ex"),
        (lambda: state_of(rgb_model(num_classes=5)), r"classifier\.rgb\.bias \(5, expected 4\)"),
        (
            lambda: state_of(pose_model()),
            r"as features\.0\.weight \(4 x 3 x 1 x 7 x 7, expected none",
        ),
        (
            lambda: without(state_of(rgb_model()), "features.trunk.4.branch.1.bias"),
            r": 1 tensors differ, as rgb\.4\.branch\.1\.bias \(none, expected 2\)",
        ),
    ],
)
def test_another_model_of_pictures_is_refused(rgb: Callable[[], State], message: str) -> None:
    assert_refused(rgb(), state_of(pose_model()), message)


@pytest.mark.parametrize(
    ("pose", "message"),
    [
        (lambda: state_of(pose_model("2,2,1")), r"pose\.5\.branch\.0\.weight \(4 x 16 x 1"),
        (lambda: state_of(pose_model("1,1,1")), r"tensors differ, as pose\.6\."),
        (lambda: state_of(pose_model("1,1,1,1", backbone="slowonly-hr")), r"classifier\.pose\."),
        (lambda: state_of(rgb_model()), r"as pose\.0\.weight \(none, expected 4 x 3 x 1 x 7 x 7\)"),
        (
            lambda: {**state_of(pose_model()), "more": torch.zeros(2)},
            r": 1 tensors differ, as more \(2, expected none\)",
        ),
    ],
)
def test_another_model_of_poses_is_refused(pose: Callable[[], State], message: str) -> None:
    assert_refused(state_of(rgb_model()), pose(), message)


def assert_refused(rgb: State, pose: State, message: str) -> None:
    """In one line that says what to merge; the network stays as it was."""
    network = tiny_network("both", **WHOLE)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(InputError, match=message) as told:
        merge_pretrained(network, rgb, pose)
    assert re.search(r"merge a model rgb .* slowonly-r50 .* as many classes", str(told.value))
    assert "\n" not in str(told.value)
    assert all(torch.equal(before[name], each) for name, each in network.state_dict().items())
