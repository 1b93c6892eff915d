"""The ranker of clips and its losses."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from posemill.models.saliency import SaliencyRanker, ranking_loss  # noqa: E402


def test_losses_by_hand() -> None:
    better, other = torch.tensor([2.0, 0.0, -1.0]), torch.tensor([0.5, 0.0, 1.0])
    difference = np.array([1.5, 0.0, -2.0])
    logistic = np.log1p(np.exp(-difference)).mean()
    assert ranking_loss(better, other, "logistic").item() == pytest.approx(logistic, rel=1e-6)
    # 0 (the margin of 1 is kept), 1, and 1 + 2
    assert ranking_loss(better, other, "margin").item() == pytest.approx(4 / 3, rel=1e-6)


@pytest.mark.parametrize("kind", ["logistic", "margin"])
def test_a_loss_heeds_differences_alone_and_pushes_pairs_apart(kind) -> None:
    better, other = torch.zeros(2, requires_grad=True), torch.tensor([0.3, -0.3])
    loss = ranking_loss(better, other, kind)
    moved = ranking_loss(better + 7, other + 7, kind)
    assert loss.item() == pytest.approx(moved.item(), abs=1e-6)
    loss.backward()
    assert (better.grad < 0).all()


def test_features_are_scaled_as_those_of_training() -> None:
    torch.manual_seed(0)
    plain = SaliencyRanker(3, 5, 0.0).eval()
    scaled = SaliencyRanker(3, 5, 0.0).eval()
    scaled.load_state_dict(plain.state_dict())
    features = torch.tensor([[1.0, 10.0, 4.0], [3.0, 50.0, 4.0]])
    scaled.scale_like(features)
    # means 2, 30 and 4; deviations 1, 20 and none
    expected = plain(torch.tensor([[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]]))
    torch.testing.assert_close(scaled(features), expected)
    assert scaled(features).shape == (2,)
    again = SaliencyRanker(3, 5, 0.0).eval()
    again.load_state_dict(scaled.state_dict())
    torch.testing.assert_close(again(features), expected)


def test_parameters() -> None:
    network = SaliencyRanker(512, 128, 0.5)
    assert sum(each.numel() for each in network.parameters()) == 512 * 128 + 128 + 128 + 1
