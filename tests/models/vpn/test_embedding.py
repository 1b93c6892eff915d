"""The spatial embedding against equations 3 and 4 and the divergences of table 3."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from posemill.models.vpn.embedding import (  # noqa: E402
    SpatialEmbedding,
    UnitProjection,
    embedding_loss,
)


def test_projections_keep_their_norm_after_a_step() -> None:
    torch.manual_seed(0)
    layer = UnitProjection(7, 5)
    assert layer.matrix.shape == (5, 7)
    assert layer.matrix.norm().item() == pytest.approx(1.0)
    optimizer = torch.optim.SGD(layer.parameters(), lr=10.0)
    x = torch.randn(3, 7)
    (layer(x) - 4).square().sum().backward()
    before = layer.matrix.detach().clone()
    optimizer.step()
    assert layer.weight.norm().item() > 2  # the step itself leaves the constraint
    assert layer.matrix.norm().item() == pytest.approx(1.0)
    assert not torch.allclose(layer.matrix, before)
    torch.testing.assert_close(layer(x), x @ layer.matrix.T)


def test_the_video_s_vector_is_a_sum_over_time() -> None:
    torch.manual_seed(1)
    embedding = SpatialEmbedding(2 * 3 * 4, 3 * 4, "euclidean")
    f, z = torch.randn(2, 2, 5, 3, 4), torch.randn(2, 12)
    out = embedding(f, z)
    f_s = f.numpy().sum(axis=2).reshape(2, -1)
    video, pose = (each.matrix.detach().numpy() for each in (embedding.video, embedding.pose))
    assert video.shape == (256, 24)
    np.testing.assert_allclose(out["video_embedding"].detach(), f_s @ video.T, atol=1e-6)
    np.testing.assert_allclose(out["pose_embedding"].detach(), z.numpy() @ pose.T, atol=1e-6)


def test_equation_4_by_hand() -> None:
    video = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    pose = torch.tensor([[6.0, 8.0], [5.0, 0.0]])
    # The first point in one direction; the second stand at a right angle: |(0, 1) - (1, 0)|^2.
    assert embedding_loss(video, pose, "euclidean").item() == pytest.approx((0 + 2) / 2)
    assert embedding_loss(-video[:1], pose[:1], "euclidean").item() == pytest.approx(4.0)
    assert embedding_loss(9 * video, pose, "euclidean").item() == pytest.approx(1.0)


def test_divergences_by_hand() -> None:
    rng = np.random.default_rng(2)
    video, pose = rng.normal(size=(2, 3, 6))
    p, q = (np.exp(each) / np.exp(each).sum(axis=1, keepdims=True) for each in (video, pose))
    to_pose = (p * np.log(p / q)).sum(axis=1).mean()
    to_video = (q * np.log(q / p)).sum(axis=1).mean()
    arrays = torch.from_numpy(video), torch.from_numpy(pose)
    assert embedding_loss(*arrays, "kl-video").item() == pytest.approx(to_pose)
    assert embedding_loss(*arrays, "kl-pose").item() == pytest.approx(to_video)
    assert embedding_loss(*arrays, "kl-both").item() == pytest.approx(to_pose + to_video)
    assert abs(to_pose - to_video) > 1e-2


def test_lower_precision_stays_out_of_what_is_compared() -> None:
    torch.manual_seed(3)
    embedding = SpatialEmbedding(8, 4, "euclidean")
    f, z = torch.randn(2, 2, 3, 2, 2), torch.randn(2, 4)
    with torch.autocast("cpu", torch.bfloat16):
        loss = embedding.loss(embedding(f, z))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(embedding.loss(embedding(f, z)).item(), rel=0.01)


def test_a_video_without_features_has_a_loss() -> None:
    video = torch.zeros(1, 4, requires_grad=True)
    loss = embedding_loss(video, torch.ones(1, 4), "euclidean")
    loss.backward()
    assert loss.item() == pytest.approx(1.0)
    assert video.grad is not None
    assert torch.isfinite(video.grad).all()
