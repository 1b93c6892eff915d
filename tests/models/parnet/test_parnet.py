"""PARNet as a whole: costs, heads and losses, ablations, gradients, refusals."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.base import ATTENTION, LOGITS  # noqa: E402
from posemill.models.counts import count  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.parnet import BRANCH_LOGITS, ParnetModel, ParnetNetwork  # noqa: E402

PUBLISHED = {"frames": (16, 224, 224, 3), "poses": (16, 4, 14, 2)}
H = 8
SMALL = {"hidden": str(H), "width": "0.05", "window": "2"}
SHAPES = {"frames": (3, 40, 48, 3), "poses": (3, 4, 14, 2)}
PLACES = (3, 3)  # of 40 x 48 px, a sixteenth and up
HEADS = {
    "full": ["pose", "motion", "relation", "appearance"],
    "tmp+sa": ["pose", "motion", "appearance"],
    "tmp": ["pose", "motion"],
    "sa": [],
}


def small(**settings: str) -> ParnetNetwork:
    torch.manual_seed(0)
    network = create_model("parnet", {**SMALL, **settings}).network(SHAPES, 3)
    assert isinstance(network, ParnetNetwork)
    return network


def values(batch: int = 4) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    drawn = {name: torch.rand(batch, *shape, generator=generator) for name, shape in SHAPES.items()}
    return {"frames": 255 * drawn["frames"], "poses": drawn["poses"]}


def ta_lstm_parameters(features: int) -> int:
    gates = (features + 512) * 2048 + 2048
    joins = (features + 512) * features + features + 1024 * 512 + 512
    return gates + joins + 512 * 512 + 1024 * 512 + 512


def ta_lstm_macs(features: int) -> int:
    """Of a step with a window of 5: W_i, W, W2', v, the sum, W_o, and W1' of the newest."""
    gates = (features + 512) * 2048
    joins = (features + 512) * features + 1024 * 512
    return gates + joins + 1024 * 512 + 5 * 512 + 5 * 512 + 512 * 512


def test_costs_of_the_published_views() -> None:
    with torch.device("meta"):
        counts = count(ParnetModel().network(PUBLISHED, 101), PUBLISHED, classifier=False)
        poses_alone = count(
            ParnetModel(modules="tmp").network(PUBLISHED, 101), PUBLISHED, classifier=False
        )
        pictures = ParnetModel(modules="sa").network(PUBLISHED, 101)
        pictures_alone = count(pictures, PUBLISHED, classifier=False)
        assert pictures.pictures is not None
        backbone = sum(weight.numel() for weight in pictures.pictures.parameters())
    # Parameters.
    parts = 6 * 32 + 32 * 100 + 100 + 8 * 32 + 32 * 100 + 100 + 500 * 512
    select = 2 * 512 * 512 + 512
    tmp = parts + select + 4 * ta_lstm_parameters(512)
    assert poses_alone.parameters == tmp == 16_530_824
    sa = 1024 * 512 + 512 + 3 * 512 * 512 + 512
    assert pictures_alone.parameters == backbone + sa
    pa = 512 * 256 + 256 + 256 + ta_lstm_parameters(256)
    assert counts.parameters == tmp + backbone + sa + pa
    # Multiply-accumulates.
    encode = 16 * 4 * (4 * (6 * 32 + 32 * 100) + 8 * 32 + 32 * 100 + 500 * 512)
    select = 16 * 4 * 512 * 512 + 2 * 16 * (512 * 512 + 4 * 512 + 4 * 512) + 16 * 4 * 512
    tmp = encode + select + (2 * 16 + 2 * 15) * ta_lstm_macs(512)
    assert poses_alone.macs == tmp
    pa = 16 * (512 * 256 + 196 * 256 + 196 * 256) + 16 * ta_lstm_macs(256)
    assert counts.macs == tmp + pictures_alone.macs + pa
    sa = 16 * 49 * 1024 * 512 + 16 * 3 * 512 * 512
    assert (pictures_alone.macs - sa) / 16 == pytest.approx(2.03e9, rel=5e-3)  # BN-Inception
    # Section V.C: 64.9 GFLOPs, two for a multiply-accumulate.
    assert 2 * counts.macs == pytest.approx(64.9e9, rel=0.03)


@pytest.mark.parametrize("modules", HEADS)
def test_heads_and_looks_of_every_ablation(modules: str) -> None:
    out = small(modules=modules)(values())
    branches = HEADS[modules]
    logits = dict.fromkeys([LOGITS, *(f"{BRANCH_LOGITS}{each}" for each in branches)], (4, 3))
    looks: dict[str, tuple[int, ...]] = {}
    if "pose" in branches:
        looks[f"{ATTENTION}persons"] = (4, 3, 4)
    if "relation" in branches:
        looks[f"{ATTENTION}places"] = (4, 3, *PLACES)
    assert {name: tuple(each.shape) for name, each in out.items()} == logits | looks
    for name in looks:
        total = out[name].flatten(2).sum(dim=2)
        torch.testing.assert_close(total, torch.ones(4, 3))


def test_h_has_3072_numbers_as_published() -> None:
    with torch.device("meta"):
        network = ParnetModel().network(PUBLISHED, 51)
    sizes = {name: head.in_features for name, head in network.classifier.items()}
    assert sizes == {
        "joined": 3072,
        "pose": 1024,
        "motion": 1024,
        "relation": 512,
        "appearance": 512,
    }


def test_h_is_the_branches_in_the_order_of_equation_20() -> None:
    network = small().eval()
    joined, heads = network.classifier["joined"], {}
    with torch.no_grad():
        first = 0
        for name in HEADS["full"]:  # each head becomes H's columns of its branch
            head = network.classifier[name]
            columns = joined.weight[:, first : first + head.in_features]
            heads[name] = head.weight.copy_(columns)
            head.bias.zero_()
            first += head.in_features
        joined.bias.zero_()
        out = network(values())
    assert first == joined.in_features == 6 * H
    total = sum(out[f"{BRANCH_LOGITS}{name}"] for name in HEADS["full"])
    torch.testing.assert_close(out[LOGITS], total)


@pytest.mark.parametrize("modules", HEADS)
@pytest.mark.parametrize("multi_label", [False, True])
def test_loss_is_the_sum_over_all_heads(modules: str, multi_label: bool) -> None:
    network = small(modules=modules)
    out = {name: each.detach() for name, each in network(values()).items()}
    labels = torch.tensor([0, 2, 1, 2])
    if multi_label:
        labels = functional.one_hot(labels, 3).float()
        labels[0] = 1.0
    expected = 0.0
    for name in [LOGITS, *(f"logits/{each}" for each in HEADS[modules])]:
        for row, label in zip(out[name].tolist(), labels.tolist(), strict=True):
            if multi_label:
                pairs = zip(row, label, strict=True)
                expected += sum(math.log1p(math.exp(-x if y else x)) for x, y in pairs) / 3 / 4
            else:
                expected -= math.log(math.exp(row[label]) / sum(map(math.exp, row))) / 4
    assert network.loss(out, labels).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("modules", HEADS)
@pytest.mark.parametrize(("window", "persons"), [("2", "attention"), ("0", "sum")])
def test_gradients_reach_every_parameter(modules: str, window: str, persons: str) -> None:
    network = small(modules=modules, window=window, persons=persons).train()
    network.loss(network(values()), torch.tensor([0, 2, 1, 2])).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        # Batch normalisation takes away what a constant before it adds.
        before_norm = name.endswith("conv.bias")
        assert before_norm or weight.grad.abs().sum() > 0, name


@pytest.mark.parametrize("branch", HEADS["full"])
def test_a_branch_is_trained_by_its_own_head(branch: str) -> None:
    network = small().train()
    network(values())[f"{BRANCH_LOGITS}{branch}"].sum().backward()
    heads = network.classifier.items()
    assert {name for name, head in heads if head.weight.grad is not None} == {branch}
    encoder = network.poses.encode.pose.weight.grad
    assert (encoder is None) == (branch == "appearance")
    assert (network.pictures.backbone.early[0][0].weight.grad is None) == (
        branch in ("pose", "motion")
    )


def test_ablations_do_without_what_they_do_not_read() -> None:
    both = values()
    poses, frames = {"poses": both["poses"]}, {"frames": both["frames"]}
    tmp = create_model("parnet", {**SMALL, "modules": "tmp"})
    made = tmp.network({"poses": SHAPES["poses"]}, 3)  # of the recipe without pictures
    torch.testing.assert_close(made.eval()(poses)[LOGITS], made(both)[LOGITS])
    sa = create_model("parnet", {**SMALL, "modules": "sa"})
    made = sa.network({"frames": SHAPES["frames"]}, 3)
    torch.testing.assert_close(made.eval()(frames)[LOGITS], made(both)[LOGITS])


def test_pictures_are_less_the_mean_colour_and_otherwise_as_they_are() -> None:
    network, seen = small(modules="sa").eval(), []
    network.pictures.backbone.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    frames = values()["frames"]
    network({"frames": frames})
    expected = (frames - torch.tensor([128.0, 117.0, 104.0]))[1, 2].permute(2, 0, 1)
    assert seen[0].shape == (4 * 3, 3, 40, 48)
    torch.testing.assert_close(seen[0][1 * 3 + 2], expected)


def test_eight_clips_are_learned() -> None:
    # Half of the classes differ by colour, half by motion: neither is enough alone.
    torch.manual_seed(2)
    shapes = {"frames": (3, 32, 32, 3), "poses": (3, 4, 14, 2)}
    model = create_model("parnet", {**SMALL, "dropout": "0"})
    network = model.network(shapes, 4).train()
    labels = torch.arange(8) % 4
    bright = (labels // 2).float()[:, None, None, None, None]
    moves = (labels % 2).float()[:, None, None, None, None]
    clips = {
        "frames": 20 * torch.rand(8, *shapes["frames"]) + 200 * bright,
        "poses": 0.1 * torch.rand(8, *shapes["poses"])
        + moves * torch.linspace(0, 1, 3)[:, None, None, None],
    }
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-2, foreach=True)
    for _ in range(15):
        out = network(clips)
        optimizer.zero_grad()
        network.loss(out, labels).backward()
        optimizer.step()
    assert functional.cross_entropy(out[LOGITS], labels) < 0.2  # log 4 at first
    assert (out[LOGITS].argmax(dim=1) == labels).all()


@pytest.mark.parametrize(
    ("settings", "shapes", "message"),
    [
        ({}, {"poses": (16, 4, 14, 2)}, r"modules=full reads frames.*parnet-frames.*modules=tmp"),
        ({"modules": "sa"}, {"poses": (16, 4, 14, 2)}, r"modules=sa reads frames"),
        ({}, {"frames": (16, 64, 64, 3)}, r"parnet reads poses \(time, person, keypoint, space\)"),
        ({}, {"frames": (16, 64, 64, 3), "poses": (3, 17, 8)}, r"reads poses \(time, person"),
        ({}, {**PUBLISHED, "poses": (16, 4, 17, 2)}, r"14 joints of parnet-14.*17 joints of 2"),
        ({}, {**PUBLISHED, "poses": (16, 4, 14, 3)}, r"14 joints of 3 coordinates"),
        ({}, {**PUBLISHED, "poses": (8, 4, 14, 2)}, r"16 frames and poses of 8.*parnet-frames"),
        ({}, {**PUBLISHED, "frames": (16, 224, 224, 1)}, r"3 colours, got 1"),
        ({}, {**PUBLISHED, "frames": (16, 31, 64, 3)}, r"31 x 64 px are too small.*at least 32"),
        ({"modules": "tmp"}, {"poses": (1, 4, 14, 2)}, r"differences of frames, and a view has 1"),
    ],
)
def test_refusals_say_what_it_takes(
    settings: dict[str, str], shapes: dict[str, tuple[int, ...]], message: str
) -> None:
    model = create_model("parnet", {**SMALL, **settings})
    with pytest.raises(InputError, match=message) as refusal:
        model.network(shapes, 3)
    assert "\n" not in str(refusal.value)
