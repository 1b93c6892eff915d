"""VPN's network and settings: its ladder of ablations, its loss, its counts, that it learns."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.backbones.video import VideoBackboneName  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.vpn import VpnModel, VpnNetwork, model  # noqa: E402
from posemill.models.vpn.network import attention_regulariser  # noqa: E402
from posemill.schema import Skeleton  # noqa: E402
from posemill.transforms.recipes.vpn_crops import VpnCropsRecipe  # noqa: E402
from posemill.transforms.skeletons import COCO_17, NTU_25  # noqa: E402

LADDER = {
    "l1": {"attention": "none", "embedding": "none"},
    "l2": {"embedding": "none"},
    "l3": {},
    "l4": {"attention": "dissociated", "pose_backbone": "lstm"},
    "l5": {"attention": "dissociated"},
    "l6": {"pose_backbone": "lstm"},
    "l7": {"attention": "coupled", "pose_backbone": "gcn", "embedding": "euclidean"},
    "table 3, f_e": {"embedding": "kl-video"},
    "table 3, P_e": {"embedding": "kl-pose"},
    "table 3, both": {"embedding": "kl-both"},
    "table 4, lstm": {"attention": "spatial", "pose_backbone": "lstm"},
    "table 4, gcn": {"attention": "spatial"},
    "table 4, without": {"attention": "spatial", "embedding": "none"},
    "time": {"attention": "temporal", "embedding": "none"},
    "unpooled": {"pooling": "false"},
}
FRAMES, POSES = (8, 16, 12, 3), (3, 17, 6)
SHAPES = {"frames": FRAMES, "poses": POSES}
C, SIZE = 16, (4, 4, 3)


class TinyBackbone(nn.Module):
    """What `video_backbone` gives, of one convolution."""

    out_channels = C

    def __init__(self) -> None:
        super().__init__()
        convolution = nn.Conv3d(3, C, (2, 4, 4), stride=(2, 4, 4), bias=False)
        self.layers = nn.Sequential(convolution, nn.BatchNorm3d(C), nn.ReLU())

    def forward(self, frames: Tensor) -> Tensor:
        return self.layers((frames / 127.5 - 1).permute(0, 4, 1, 2, 3))

    def feature_shape(self, shape_thw: tuple[int, int, int]) -> tuple[int, int, int]:
        time, y, x = shape_thw
        return time // 2, y // 4, x // 4


@pytest.fixture
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "video_backbone", lambda *_: TinyBackbone())


def network(num_classes: int = 4, **settings: str) -> VpnNetwork:
    torch.manual_seed(0)
    made = create_model("vpn", {"skeleton": "coco-17"} | settings)
    assert isinstance(made, VpnModel)
    return made.network(SHAPES, num_classes)


def views(batch: int = 4, seed: int = 1) -> dict[str, Tensor]:
    drawn = torch.Generator().manual_seed(seed)
    return {
        "frames": 255 * torch.rand(batch, *FRAMES, generator=drawn),
        "poses": torch.randn(batch, *POSES, generator=drawn),
    }


def count(module: nn.Module | None) -> int:
    assert module is not None
    return sum(weight.numel() for weight in module.parameters())


@pytest.mark.usefixtures("tiny_backbone")
@pytest.mark.parametrize("row", LADDER)
def test_every_ablation_trains_all_its_parameters(row: str) -> None:
    made = network(**LADDER[row]).train()
    outputs = made(views())
    assert outputs["logits"].shape == (4, 4)
    loss = made.loss(outputs, torch.arange(4))
    optimizer = torch.optim.SGD(made.parameters(), lr=0.01)
    loss.backward()
    for name, weight in made.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name
    optimizer.step()
    assert torch.isfinite(made.eval()(views())["logits"]).all()


LOOKS = {
    "space": (*SIZE[1:],),
    "time": SIZE[:1],
    "space_time": SIZE,
    "joints": (17, 6),
}


@pytest.mark.usefixtures("tiny_backbone")
@pytest.mark.parametrize(
    ("row", "looks"),
    [
        ("l1", []),
        ("l3", ["joints", "space", "space_time", "time"]),
        ("l4", ["space", "time"]),
        ("l5", ["joints", "space", "time"]),
        ("l6", ["space", "space_time", "time"]),
        ("table 4, gcn", ["joints", "space"]),
        ("time", ["joints", "time"]),
    ],
)
def test_what_there_is_to_look_at(row: str, looks: list[str]) -> None:
    outputs = network(**LADDER[row]).eval()(views(2))
    found = {name: each for name, each in outputs.items() if name.startswith("attention/")}
    assert {name: tuple(each.shape) for name, each in found.items()} == {
        f"attention/{name}": (2, *LOOKS[name]) for name in looks
    }
    extra = set() if row in ("l1", "time") else {"video_embedding", "pose_embedding"}
    assert outputs.keys() - found.keys() == {"logits"} | extra


@pytest.mark.usefixtures("tiny_backbone")
def test_joints_are_seen_by_the_mean_size_of_their_features() -> None:
    made, given = network().eval(), views(2)
    assert made.attention is not None
    graphs = made.attention.pose_backbone.graphs
    features = graphs(given["poses"]).detach().numpy()  # (B, 64, t_p, K)
    expected = np.abs(features).mean(axis=1).transpose(0, 2, 1)
    np.testing.assert_allclose(made(given)["attention/joints"], expected, rtol=1e-5)


@pytest.mark.usefixtures("tiny_backbone")
def test_the_original_joints_stand_beside_their_features() -> None:
    made = network().eval()
    assert made.attention is not None
    seen: list[Tensor] = []
    convolutions = made.attention.pose_backbone.convolutions
    convolutions.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    given = views(2)
    made(given)
    assert seen[0].shape == (2, 67, 6, 17)
    torch.testing.assert_close(seen[0][:, 64:], given["poses"].transpose(2, 3))


@pytest.mark.usefixtures("tiny_backbone")
def test_logits_are_of_the_changed_map_s_mean() -> None:
    made, given = network().eval(), views(2)
    outputs = made(given)
    f = made.features(given["frames"])
    changed = f * (1 + outputs["attention/space_time"][:, None])
    expected = made.classifier(changed.mean(dim=(2, 3, 4)))
    torch.testing.assert_close(outputs["logits"], expected)
    moved = made(given | {"poses": given["poses"].flip(3)})
    assert not torch.allclose(moved["logits"], outputs["logits"], atol=1e-6)


@pytest.mark.usefixtures("tiny_backbone")
def test_dissociated_maps_are_classified_side_by_side() -> None:
    made, given = network(attention="dissociated").eval(), views(2)
    outputs, f = made(given), made.features(given["frames"])
    space = f * outputs["attention/space"][:, None, None]
    time = f * outputs["attention/time"][:, None, :, None, None]
    both = torch.cat([space.mean(dim=(2, 3, 4)), time.mean(dim=(2, 3, 4))], dim=1)
    torch.testing.assert_close(outputs["logits"], made.classifier(both))


def test_equation_6_by_hand() -> None:
    weights = {
        "attention/space": torch.tensor([[[0.5, 0.25]], [[1.0, 0.0]]]),
        "attention/time": torch.tensor([[0.5, 0.5], [1.0, 0.0]]),
    }
    # (.5 + .25) + (.25 + .25), and (1 + 0) + (0 + 1).
    assert attention_regulariser(weights).item() == pytest.approx((1.25 + 2.0) / 2)
    space = {"attention/space": weights["attention/space"]}
    assert attention_regulariser(space).item() == pytest.approx((0.75 + 1.0) / 2)
    time = {"attention/time": weights["attention/time"]}
    assert attention_regulariser(time).item() == pytest.approx((0.5 + 1.0) / 2)


@pytest.mark.usefixtures("tiny_backbone")
@pytest.mark.parametrize("training", [True, False])
def test_equation_5_by_hand(training: bool) -> None:
    made = network(classes_weight="0.7", attention_weight="0.125").train(training)
    outputs, labels = made(views()), torch.tensor([0, 3, 1, 1])
    arrays = {name: each.detach().double().numpy() for name, each in outputs.items()}
    logits = arrays["logits"]
    log_sum = np.log(np.exp(logits).sum(axis=1))
    classes = (log_sum - logits[np.arange(4), labels]).mean()
    video, pose = (
        arrays[f"{name}_embedding"]
        / np.linalg.norm(arrays[f"{name}_embedding"], axis=1, keepdims=True)
        for name in ("video", "pose")
    )
    embedding = ((video - pose) ** 2).sum(axis=1).mean()
    space, time = arrays["attention/space"], arrays["attention/time"]
    attention = (np.abs(space).sum(axis=(1, 2)) + ((1 - time) ** 2).sum(axis=1)).mean()
    expected = 0.7 * classes + 0.3 * embedding + 0.125 * attention
    assert made.loss(outputs, labels).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.usefixtures("tiny_backbone")
def test_without_an_embedding_the_classes_loss_counts_whole() -> None:
    outputs = {"logits": torch.zeros(2, 4), "attention/space": torch.zeros(2, 4, 3)}
    made = network(attention="spatial", embedding="none")
    assert made.loss(outputs, torch.tensor([0, 1])).item() == pytest.approx(np.log(4))
    many = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 1]])
    assert made.loss(outputs, many).item() == pytest.approx(np.log(2))


@pytest.mark.usefixtures("tiny_backbone")
@pytest.mark.parametrize("embedding", ["euclidean", "kl-video", "kl-pose", "kl-both"])
def test_the_embedding_teaches_the_backbone_and_the_poses(embedding: str) -> None:
    made = network(embedding=embedding)
    assert made.embedding is not None
    made.embedding.loss(made(views())).backward()
    assert made.attention is not None
    for part in (made.features, made.attention.pose_backbone, made.attention.weights.space):
        assert isinstance(part, nn.Module)
        for name, weight in part.named_parameters():
            assert weight.grad is not None, name
            assert weight.grad.abs().sum() > 0, name
    assert made.classifier.weight.grad is None


@pytest.mark.usefixtures("tiny_backbone")
def test_joints_in_two_dimensions() -> None:
    made, given = network(), views()
    given["poses"][:, 2] = 0.0
    outputs = made(given)
    made.loss(outputs, torch.arange(4)).backward()
    assert made.attention is not None
    taught = made.attention.pose_backbone.graphs.weight.grad
    assert torch.isfinite(taught).all()
    assert not taught[:, 2].any()
    assert taught[:, :2].abs().sum(dim=(1, 2)).all()


@pytest.mark.usefixtures("tiny_backbone")
def test_a_clip_without_people_has_an_answer() -> None:
    given = views(2)
    given["poses"].zero_()
    assert torch.isfinite(network().eval()(given)["logits"]).all()


@pytest.mark.usefixtures("tiny_backbone")
@pytest.mark.parametrize(("row", "steps", "right"), [("l1", 50, 4), ("l3", 500, 8), ("l5", 500, 8)])
def test_overfits_eight_clips_that_frames_and_poses_tell_together(
    row: str, steps: int, right: int
) -> None:
    made = network(num_classes=4, **LADDER[row], dropout="0", pose_dropout="0")
    given, labels = views(8), torch.arange(8) % 4
    # Two colours, and arms that rise or sink.
    given["frames"][:] = torch.where(labels % 2 == 1, 200.0, 50.0)[:, None, None, None, None]
    arms = torch.where(labels > 1, 1.0, -1.0)[:, None] * torch.arange(6)  # (B, t_p)
    given["poses"] *= 0.1
    given["poses"][:, 1, 9:11] += arms[:, None]
    optimizer = torch.optim.SGD(made.parameters(), lr=0.1, momentum=0.9)
    found = 0
    for step in range(steps):
        optimizer.zero_grad()
        made.train().loss(made(given), labels).backward()
        optimizer.step()
        if step % 10 == 9:
            answers = made.eval()(given)["logits"].argmax(dim=1)
            found = int((answers == labels).sum())
        if found == 8:
            break
    assert found == right


@pytest.mark.usefixtures("tiny_backbone")
def test_weights_start_as_in_the_published_code() -> None:
    made = network(num_classes=40, pose_backbone="lstm")
    limit = (6 / (C + 40)) ** 0.5  # Glorot's
    assert 0.95 * limit < made.classifier.weight.abs().max().item() <= limit
    assert made.attention is not None
    layers = made.attention.pose_backbone.layers
    for layer in range(3):
        gates = getattr(layers, f"bias_ih_l{layer}") + getattr(layers, f"bias_hh_l{layer}")
        assert gates.reshape(4, 128).unique(dim=1).tolist() == [[0.0], [1.0], [0.0], [0.0]]
        recurrent = getattr(layers, f"weight_hh_l{layer}")
        torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(128), atol=1e-5, rtol=0)


def test_parameters_by_hand_at_the_published_size() -> None:
    shapes = {"frames": (64, 224, 224, 3), "poses": (3, 25, 20)}
    with torch.device("meta"):
        made = VpnModel().network(shapes, 60)
        unpooled = VpnModel(pooling=False).network(shapes, 60)
        lstm = VpnModel(pose_backbone="lstm").network(shapes, 60)
    graphs = 20 * 3 * 64
    convolutions = 9 * (67 * 64 + 64 * 64 + 64 * 128) + 2 * (64 + 64 + 128)
    second = 256 * 128 + 128
    pose = graphs + convolutions + (128 * 5 * 6 * 256 + 256) + second
    space = (128 * 256 + 256) + (256 * 49 + 49)
    time = (128 * 128 + 128) + (128 * 8 + 8)
    embedding = 256 * (7 * 7 * 1024) + 256 * 49
    assert made.attention is not None
    assert count(made.attention.pose_backbone) == pose == 1_169_728
    assert count(made.attention.weights) == space + time
    assert count(made.embedding) == embedding == 12_857_600
    assert count(made.classifier) == 1024 * 60 + 60
    parts = count(made.features) + pose + space + time + embedding + 1024 * 60 + 60
    assert count(made) == parts
    # What classifies has about a third of the parameters of the three I3D networks that
    # section 4.4 compares with; without pooling it would have three quarters.
    asked = count(made) - embedding
    assert asked < 0.4 * 3 * count(made.features) < count(unpooled) - embedding
    layers = [(75, 128), (128, 128), (128, 128)]
    gates = sum(4 * (size * (inner + size) + 2 * size) for inner, size in layers)
    assert lstm.attention is not None
    assert count(lstm.attention.pose_backbone) == gates


def test_shapes_at_the_published_size() -> None:
    shapes = {"frames": (64, 224, 224, 3), "poses": (3, 25, 20)}
    with torch.device("meta"):
        made = VpnModel().network(shapes, 60).eval()
        outputs = made({name: torch.empty(2, *shape) for name, shape in shapes.items()})
    assert {name: tuple(each.shape) for name, each in outputs.items()} == {
        "logits": (2, 60),
        "video_embedding": (2, 256),
        "pose_embedding": (2, 256),
        "attention/space": (2, 7, 7),
        "attention/time": (2, 8),
        "attention/space_time": (2, 8, 7, 7),
        "attention/joints": (2, 25, 20),
    }


@pytest.mark.parametrize("backbone", get_args(VideoBackboneName))
def test_any_backbone_over_videos(backbone: str) -> None:
    shapes = {"frames": (16, 64, 64, 3), "poses": (3, 13, 4)}
    chosen = create_model("vpn", {"backbone": backbone, "skeleton": "penn-13", "width": "0.5"})
    with torch.device("meta"):
        made = chosen.network(shapes, 5)
        outputs = made({name: torch.empty(2, *shape) for name, shape in shapes.items()})
    assert outputs["logits"].shape == (2, 5)


@pytest.mark.parametrize("skeleton", [NTU_25, COCO_17])
def test_a_network_takes_the_views_of_its_recipe(skeleton: Skeleton) -> None:
    recipe = VpnCropsRecipe(pictures=16, size=64, length=5)
    shapes = {spec.name: spec.shape for spec in recipe.view_outputs(skeleton)}
    chosen = create_model("vpn", {"width": "0.1", "skeleton": skeleton.name})
    assert recipe.name in chosen.recipes
    with torch.device("meta"):
        made = chosen.network(shapes, 5)
        outputs = made({name: torch.empty(2, *shape) for name, shape in shapes.items()})
    assert outputs["attention/joints"].shape == (2, skeleton.num_keypoints, 5)


def test_a_backbone_trained_alone_has_the_names_of_this_one() -> None:
    frames = {"frames": (16, 64, 64, 3)}
    with torch.device("meta"):
        alone = create_model("rgb", {"backbone": "i3d", "width": "0.1"}).network(frames, 5)
        chosen = create_model("vpn", {"width": "0.1", "skeleton": "coco-17"})
        plugged = chosen.network(frames | {"poses": (3, 17, 5)}, 5)
    names = {name: tensor.shape for name, tensor in plugged.state_dict().items()}
    assert {name: tensor.shape for name, tensor in alone.state_dict().items()}.items() <= (
        names.items()
    )


def test_settings_are_the_published_ones() -> None:
    published = VpnModel()
    assert (published.alpha, published.beta) == (5.0, 2.0)
    assert (published.classes_weight, published.attention_weight) == (0.8, 1e-5)
    assert (published.dropout, published.pose_dropout) == (0.3, 0.5)
    assert published.consensus == "max"


def test_the_backbone_alone_takes_frames_alone() -> None:
    chosen = create_model("vpn", LADDER["l1"] | {"width": "0.1"})
    with torch.device("meta"):
        made = chosen.network({"frames": (16, 64, 64, 3)}, 5)
        assert made({"frames": torch.empty(1, 16, 64, 64, 3)}).keys() == {"logits"}


@pytest.mark.usefixtures("tiny_backbone")
@pytest.mark.parametrize(
    ("settings", "shapes", "message"),
    [
        ({}, {"poses": POSES}, r"vpn reads frames \(time, y, x, colour\).*vpn-crops"),
        ({}, {"frames": FRAMES}, r"vpn reads poses \(space, keypoint, time\)"),
        ({}, {"frames": (8, 16, 12, 4)}, r"frames of 3 colours, .* have 4; .* vpn-crops"),
        ({}, SHAPES | {"poses": (2, 25, 6)}, r"poses of 3 coordinates, .* have 2; .* vpn-crops"),
        ({}, SHAPES, r"ntu-25 has 25 joints, and the poses have 17.*skeleton=.*17: coco-17$"),
        ({}, SHAPES | {"poses": (3, 2, 6)}, r"the poses have 2; .*with 2: none$"),
        (
            {"skeleton": "coco-17"},
            SHAPES | {"poses": (3, 17, 3)},
            r"3 poses of 17 joints are too few.*4 of both.*--set model\.pooling=false",
        ),
    ],
)
def test_refusals_say_what_it_takes(
    settings: dict[str, str], shapes: dict[str, tuple[int, ...]], message: str
) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        create_model("vpn", settings).network(shapes, 4)
    assert "\n" not in str(refusal.value)


@pytest.mark.usefixtures("tiny_backbone")
def test_skeletons_of_equal_size_are_all_offered() -> None:
    with pytest.raises(InputError, match=r"of those with 13: penn-13, smarthome-13$"):
        VpnModel().network({"frames": (16, 64, 64, 3), "poses": (3, 13, 5)}, 4)


@pytest.mark.parametrize("attention", ["none", "temporal"])
def test_an_embedding_needs_spatial_attention(attention: str) -> None:
    with pytest.raises(InputError, match=r"attention=.* is without; .*model\.embedding=none"):
        create_model("vpn", {"attention": attention})


def test_unknown_skeletons_are_refused_at_once() -> None:
    with pytest.raises(InputError, match=r"no skeleton is called 'coco'"):
        create_model("vpn", {"skeleton": "coco"})
