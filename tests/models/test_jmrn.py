"""JMRN's network against its tables, its counts, and what its parts promise."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.jmrn import JOINT_WEIGHTS, JmrnModel, JmrnNetwork  # noqa: E402
from posemill.models.jmrn.encoding import derive_p, longest_stay, motion_maps, stack_roles  # noqa: E402
from posemill.models.jmrn.extractor import SeparateExtractors, SharedExtractor, separate_width  # noqa: E402
from posemill.models.jmrn.selector import JointSelector  # noqa: E402
from posemill.transforms import potion  # noqa: E402

SMALL = {"width": "8", "cdim": "4"}
J, SIZE_HW = 5, (17, 12)
SHAPE = (J, 3, *SIZE_HW)


def small(num_classes: int = 4, **settings: str) -> JmrnNetwork:
    torch.manual_seed(0)
    model = create_model("jmrn", SMALL | settings)
    assert isinstance(model, JmrnModel)
    return model.network({"p": SHAPE}, num_classes)


def maps(batch: int = 3, seed: int = 1) -> Tensor:
    return torch.rand(batch, *SHAPE, generator=torch.Generator().manual_seed(seed))


def count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def on_meta(model: JmrnModel, shape: tuple[int, ...] = (18, 3, 64, 86)) -> JmrnNetwork:
    with torch.device("meta"):
        return model.network({"p": shape}, 51)


@pytest.mark.parametrize(("cdim", "published"), [(128, 8.205e6), (64, 7.599e6), (32, 7.296e6)])
def test_parameters_equal_the_published_ones(cdim: int, published: float) -> None:
    network = on_meta(JmrnModel(cdim=cdim))
    with_head = count(network) - count(network.classifier)
    # Tables 9 to 11, every convolution with a bias, of J = 18:
    norm = 18 * 2 * 3
    extractor = 9 * (3 * 128 + 128 * 128 + 128 * 256 + 256 * 256) + 128 + 128 + 256 + 256
    compress = 256 * cdim + cdim
    selector = (18 * 256 * 256 + 256) + (256 * 18 + 18)
    reasoning = (18 * cdim * 512 + 512) + 2 * (9 * 512 * 512 + 512 + 2 * 512)
    head = (256 * 128 + 128) + (128 * 128 + 128)
    assert with_head == norm + extractor + compress + selector + reasoning + head
    # The published figures hold the projection head: they are met to their last digit.
    assert with_head == pytest.approx(published, abs=500)
    without = on_meta(JmrnModel(cdim=cdim, contrast=False))
    assert count(without) == count(network) - head
    assert count(without) - count(without.classifier) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize("joints", [13, 18, 25])
def test_separate_extractors_are_paid_for_by_the_shared_one(joints: int) -> None:
    shared = on_meta(JmrnModel(), (joints, 3, 64, 86))
    separate = on_meta(JmrnModel(extractor="separate"), (joints, 3, 64, 86))
    assert count(separate.extractor) <= count(shared.extractor)
    assert count(separate) == pytest.approx(count(shared), rel=0.01)


def test_separate_width_of_the_published_size() -> None:
    # 28 a + (9 * 256 a + 256) for each of 18 joints, against 1 036 416 shared ones.
    assert 18 * (28 * 24 + 2304 * 24 + 256) <= 1_036_416 < 18 * (28 * 25 + 2304 * 25 + 256)
    assert separate_width(18, 3, 128) == 24
    assert separate_width(18, 3, 1) == 1  # never without a channel


def test_sizes_are_those_of_the_tables() -> None:
    network = on_meta(JmrnModel())
    p = torch.empty(2, 18, 3, 64, 86, device="meta")
    r = network.extractor(p)
    assert r.shape == (2, 18, 256, 16, 22)
    assert network.reasoning(torch.empty(2, 18 * 128, 16, 22, device="meta")).shape == (
        2,
        512,
        8,
        11,
    )
    out = network.train()({"p": p})
    assert {name: tuple(each.shape) for name, each in out.items()} == {
        "logits": (2, 51),
        "attention/joints": (2, 18),
        "embeddings": (2, 18, 128),
    }


@pytest.mark.parametrize("extractor", ["shared", "separate"])
@pytest.mark.parametrize("selector", ["sigmoid", "gumbel", "none"])
def test_gradients_reach_every_parameter(extractor: str, selector: str) -> None:
    network = small(extractor=extractor, selector=selector, dropout="0.1")
    out = network({"p": maps(8)})
    target = torch.randn(out["embeddings"].shape, generator=torch.Generator().manual_seed(2))
    loss = nn.functional.cross_entropy(out["logits"], torch.arange(8) % 4)
    (loss + (out["embeddings"] * target).sum()).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        # Batch normalisation takes away what a constant before it adds.
        before_norm = name in ("reasoning.3.bias", "reasoning.7.bias")
        assert before_norm or weight.grad.abs().sum() > 0, name


def test_dropout_follows_every_convolution_and_is_left_out_at_none() -> None:
    def dropouts(network: nn.Module) -> int:
        return sum(isinstance(each, nn.Dropout) for each in network.modules())

    assert dropouts(small()) == 0
    assert dropouts(small(dropout="0.25")) == 4 + 1 + 3
    assert dropouts(small(dropout="0.25", extractor="separate")) == 2 + 1 + 3


def test_embeddings_are_unit_vectors_and_made_only_where_they_count() -> None:
    network = small()
    trained = network.train()({"p": maps()})["embeddings"]
    torch.testing.assert_close(trained.norm(dim=-1), torch.ones(3, J))
    network.eval()
    assert set(network({"p": maps()})) == {"logits", JOINT_WEIGHTS}
    assert network.embed({"p": maps()}).shape == (3, J, 8)
    without = small(contrast="false")
    assert "embeddings" not in without.train()({"p": maps()})
    with pytest.raises(ValueError, match="contrast=true"):
        without.embed({"p": maps()})


def test_no_selector_is_a_selector_that_weighs_all_joints_one() -> None:
    weighed, plain = small().eval(), small(selector="none").eval()
    assert weighed.selector is not None
    nn.init.zeros_(weighed.selector.select.weight)
    nn.init.constant_(weighed.selector.select.bias, 1e3)
    shared = {k: v for k, v in weighed.state_dict().items() if not k.startswith("selector")}
    plain.load_state_dict(shared)
    out = weighed({"p": maps()})
    assert (out[JOINT_WEIGHTS] == 1).all()
    without = plain({"p": maps()})
    assert JOINT_WEIGHTS not in without
    torch.testing.assert_close(out["logits"], without["logits"], rtol=0, atol=0)


def test_a_joint_of_weight_nought_does_not_count() -> None:
    network = small().eval()
    assert network.selector is not None
    nn.init.zeros_(network.selector.select.weight)
    with torch.no_grad():
        network.selector.select.bias.copy_(torch.tensor([1e3, 1e3, -1e3, 1e3, 1e3]))
    one, other = maps(), maps()
    other[:, 2] = 1 - other[:, 2]
    torch.testing.assert_close(network({"p": one})["logits"], network({"p": other})["logits"])
    other[:, 1] = 1 - other[:, 1]
    assert not torch.allclose(network({"p": one})["logits"], network({"p": other})["logits"])


def test_selector_averages_after_its_convolution_as_before_it() -> None:
    # Table 10: 1x1 convolution of all joints' r, average, ReLU, FC, sigmoid.
    selector = JointSelector(3, 4)
    r = torch.randn(2, 3, 4, 6, 5, generator=torch.Generator().manual_seed(3))
    convolved = nn.functional.conv2d(
        r.flatten(1, 2), selector.gather.weight[:, :, None, None], selector.gather.bias
    )
    expected = selector.select(convolved.mean(dim=(2, 3)).relu()).sigmoid()
    torch.testing.assert_close(selector(r.mean(dim=(3, 4))), expected)


def test_gumbel_noise_is_drawn_at_training_alone() -> None:
    selector = JointSelector(3, 4, gumbel_temperature=0.5)
    motion = torch.rand(2, 3, 4)
    logits = selector.select(selector.gather(motion.flatten(1)).relu())
    selector.eval()
    torch.testing.assert_close(selector(motion), (logits / 0.5).sigmoid())
    selector.train()
    torch.manual_seed(1)
    first = selector(motion)
    assert not torch.allclose(first, selector(motion))
    torch.manual_seed(1)
    torch.testing.assert_close(selector(motion), first, rtol=0, atol=0)


def test_gumbel_noise_is_logistic() -> None:
    # g1 - g2 of Gumbels is logistic: logit(w) tau - logit has mean 0 and variance pi^2 / 3.
    selector = JointSelector(4, 2, gumbel_temperature=2.0)
    nn.init.zeros_(selector.select.weight)
    nn.init.constant_(selector.select.bias, 0.7)
    torch.manual_seed(0)
    noise = selector(torch.rand(20_000, 4, 2)).double().logit() * 2.0 - 0.7
    assert noise.mean().item() == pytest.approx(0.0, abs=0.03)
    assert noise.var().item() == pytest.approx(np.pi**2 / 3, rel=0.02)


def test_shared_extractor_treats_all_joints_alike_and_separate_ones_do_not() -> None:
    p, order = maps(2), torch.tensor([3, 0, 4, 1, 2])
    shared = SharedExtractor(3, 4, dropout=0.0)
    torch.testing.assert_close(shared(p[:, order]), shared(p)[:, order])
    separate = SeparateExtractors(J, 3, 4, dropout=0.0)
    assert separate(p).shape == shared(p).shape
    assert not torch.allclose(separate(p[:, order]), separate(p)[:, order])
    # Each sees its own joint alone.
    changed = p.clone()
    changed[:, 1] += 1
    same = (separate(changed) == separate(p)).flatten(2).all(dim=2).all(dim=0)
    assert same.tolist() == [True, False, True, True, True]


def test_each_joint_has_a_batch_normalisation_of_its_own() -> None:
    p = maps(16)
    p[:, 1] = 5 + 0.1 * p[:, 1]
    network = small().train()
    network({"p": p})
    means = network.normalise.running_mean
    assert means is not None
    expected = 0.1 * p.mean(dim=(0, 3, 4)).flatten()  # momentum .1 from 0
    torch.testing.assert_close(means, expected)


def test_longest_stay_is_the_sum_of_the_time_encoding() -> None:
    frames = torch.tensor([*range(70), 300, 2001])
    for channels in (2, 3, 4, 7):
        shares = [potion.time_encoding(int(t), channels).sum(axis=0) for t in frames]
        got = longest_stay(frames, channels)
        np.testing.assert_allclose(got.numpy(), np.stack(shares), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(got.sum(dim=1), frames.double())


@pytest.mark.parametrize("lead", [(), (2,)])
def test_p_of_a_potion_store_is_that_of_the_transform(lead: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    frames = [0, 1, 2, 3, 8, 61]
    s = rng.uniform(0, 20, (len(frames), *lead, J, 3, 6, 7)).astype(np.float32)
    s[0] = 0  # of a clip without frames
    s[1:, ..., 0, :, :, :] *= 1e-4  # a joint that is hardly seen: the 1e-4 of U counts
    expected = np.stack([potion.jmrn_p(each, t) for each, t in zip(s, frames, strict=True)])
    u, maximum = potion.potion_u(s)
    arrays = {"u": u, "maximum": maximum, "num_frames": np.array(frames, np.float32)}
    values = {name: torch.from_numpy(array) for name, array in arrays.items()}
    np.testing.assert_allclose(derive_p(**values).numpy(), expected, rtol=1e-5)
    if lead:
        expected = np.stack([potion.stack_roles(each) for each in expected])
    np.testing.assert_allclose(motion_maps(values).numpy(), expected, rtol=1e-5)


def test_a_network_takes_both_recipes_arrays() -> None:
    u = {"u": SHAPE, "maximum": SHAPE[:2], "num_frames": (), "valid_hw": (2,)}
    network = create_model("jmrn", SMALL).network(u, 4).eval()
    values = {
        "u": maps(),
        "maximum": torch.full((3, J, 3), 2.0),
        "num_frames": torch.tensor([9, 1, 30]),
    }
    p = derive_p(**values)
    torch.testing.assert_close(network(values)["logits"], network({"p": p})["logits"])


def test_other_people_are_extra_channels() -> None:
    model = create_model("jmrn", SMALL)
    network = model.network({"p": (2, *SHAPE)}, 4).eval()
    p = torch.rand(3, 2, *SHAPE, generator=torch.Generator().manual_seed(5))
    stacked = stack_roles(p)
    assert stacked.shape == (3, J, 6, *SIZE_HW)
    np.testing.assert_array_equal(stacked[1], potion.stack_roles(p[1].numpy()))
    assert network({"p": p})["logits"].shape == (3, 4)
    roles = {"u": (2, *SHAPE), "maximum": (2, J, 3), "num_frames": ()}
    same = model.network(roles, 4)
    assert count(same) == count(network) > count(small())


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"volume": (17, 48, 56, 56)}, r"jmrn reads p \(keypoint.*volume.*recipe jmrn or potion"),
        ({"p": (18, 64, 86)}, r"jmrn reads p \(keypoint, channel, y, x\)"),
        ({"p": (3, *SHAPE)}, r"2 roles.*a view has 3.*people=box"),
        ({"p": (J, 3, 8, 40)}, r"8 x 40 px are too small for the model jmrn.*at least 9 px"),
        ({"u": SHAPE, "maximum": (J, 3)}, r"jmrn reads num_frames \(\)"),
        ({"u": SHAPE, "num_frames": ()}, r"jmrn reads maximum \(keypoint, channel\)"),
        ({"u": (2, *SHAPE), "maximum": (J, 3), "num_frames": ()}, r"maximum \(role, keypoint"),
    ],
)
def test_refusals_say_what_it_takes(shapes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        JmrnModel().network(shapes, 4)
    assert "\n" not in str(refusal.value)


def test_settings_are_checked() -> None:
    with pytest.raises(InputError, match=r"jmrn: selector must be sigmoid or gumbel or none"):
        create_model("jmrn", {"selector": "softmax"})


def test_the_least_maps_train_with_one_clip() -> None:
    network = create_model("jmrn", SMALL).network({"p": (J, 3, 9, 9)}, 4).train()
    assert torch.isfinite(network({"p": torch.rand(1, J, 3, 9, 9)})["logits"]).all()
