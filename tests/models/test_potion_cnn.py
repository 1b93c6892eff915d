"""The PoTion network against the published counts, and its input against the paper."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.counts import count  # noqa: E402
from posemill.models.create import create_model, get_model  # noqa: E402
from posemill.models.potion_cnn import PotionCNN, potion_channels, potion_planes  # noqa: E402


def test_counts_equal_the_published_ones() -> None:
    # PoseConv3D, table 10: 4.75 M and 0.60 G, with J = 17 and C = 4 at 56 x 56.
    assert potion_channels(17, 4) == 17 * (4 + 1 + 4) == 153
    counts = count(PotionCNN(153, 60), {"u": (17, 4, 56, 56)}, classifier=False)
    # Six 3x3 convolutions without bias, and a scale and a shift per channel:
    kernels = 153 * 128 + 128 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 512 * 512
    assert counts.parameters == 9 * kernels + 2 * 2 * (128 + 256 + 512) == 4_750_976
    assert counts.parameters == pytest.approx(4.75e6, rel=0.01)
    assert counts.macs == pytest.approx(0.601e9, rel=1e-3)


def test_deeper_baseline_has_three_convolutions_more_and_about_jmrns_parameters() -> None:
    with torch.device("meta"):
        deeper = create_model("potion", {"depth": "3"}).network({"u": (18, 3, 64, 86)}, 51)
    convolutions = [each for each in deeper.modules() if isinstance(each, nn.Conv2d)]
    assert len(convolutions) == 6 + 3
    assert [each.stride for each in convolutions] == [(2, 2), (1, 1), (1, 1)] * 3
    kernels = 18 * 7 * 128 + 2 * 128**2 + 128 * 256 + 2 * 256**2 + 256 * 512 + 2 * 512**2
    parameters = sum(weight.numel() for weight in deeper.features.parameters())
    assert parameters == 9 * kernels + 3 * 2 * (128 + 256 + 512)
    # JMRN's, of cdim 32, 64 and 128:
    assert 7.296e6 < parameters < 8.205e6
    assert parameters == pytest.approx(np.mean([7.296e6, 7.599e6, 8.205e6]), rel=0.02)


def test_planes_are_u_then_i_then_n() -> None:
    u = torch.rand(2, 3, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    planes = potion_planes(u).numpy()
    assert planes.shape == (2, potion_channels(3, 4), 5, 6)
    maps = u.numpy()
    np.testing.assert_array_equal(planes[:, :12], maps.reshape(2, 12, 5, 6))
    intensity = maps.sum(axis=2)  # equation 4: I_j = sum_c U_j^c
    np.testing.assert_allclose(planes[:, 12:15], intensity, rtol=1e-6)
    normalised = maps / (intensity[:, :, None] + 1.0)  # equation 5 with epsilon = 1
    np.testing.assert_allclose(planes[:, 15:], normalised.reshape(2, 12, 5, 6), rtol=1e-6)


@pytest.mark.parametrize("depth", ["1", "2", "3"])
def test_logits_and_gradients(depth: str) -> None:
    settings = {"width": "8", "dropout": "0.1", "depth": depth}
    model = create_model("potion", settings).network({"u": (5, 3, 33, 44)}, num_classes=7)
    logits = model({"u": torch.rand(4, 5, 3, 33, 44)})["logits"]
    assert logits.shape == (4, 7)
    nn.functional.cross_entropy(logits, torch.arange(4)).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name


def test_every_convolution_is_followed_by_its_dropout() -> None:
    kinds = [type(layer) for layer in PotionCNN(4, 2, width=8).features]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Dropout] * 6
    strides = [m.stride for m in PotionCNN(4, 2).features if isinstance(m, nn.Conv2d)]
    assert strides == [(2, 2), (1, 1)] * 3


def test_refusals_name_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="num_classes=0"):
        PotionCNN(3, 0)
    with pytest.raises(ValueError, match=r"dropout=1\.0"):
        PotionCNN(3, 2, dropout=1.0)
    with pytest.raises(InputError, match=r"'lstm'.*potion"):
        get_model("lstm")
