"""What PARNet makes of its maps: appearance over all places, relation at those of the pose."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from posemill.models.parnet.appearance import SpatialAppearance  # noqa: E402
from posemill.models.parnet.relation import PoseAwareRelation  # noqa: E402

B, T, C, H = 2, 5, 6, 4


def draw(*shape: int, seed: int = 6) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_averaging_places_before_the_convolution_over_time_changes_nothing() -> None:
    # Equation 17 as written: W_t is 3 x 1 x C_in x C_out, over all places, then the mean.
    appearance = SpatialAppearance(C, H, dropout=0.5).eval()
    for layer in (appearance.reduce, appearance.over_time):
        nn.init.normal_(layer.bias)
    maps = draw(B, T, C, 3, 2)
    reduced = appearance.reduce(maps.flatten(0, 1)).relu().unflatten(0, (B, T)).transpose(1, 2)
    kernel = appearance.over_time.weight[..., None, None]  # (H, H, 3, 1, 1)
    bias = appearance.over_time.bias
    convolved = nn.functional.conv3d(reduced, kernel, bias, padding=(1, 0, 0))
    torch.testing.assert_close(appearance(maps), convolved.mean(dim=(2, 3, 4)))


def test_dropout_is_of_f_at_training() -> None:
    appearance = SpatialAppearance(C, H, dropout=0.5)
    torch.manual_seed(7)
    f = appearance.eval()(draw(B, T, C, 3, 2))
    dropped = appearance.train()(draw(B, T, C, 3, 2))
    kept = dropped != 0
    assert 0 < kept.sum() < kept.numel()
    torch.testing.assert_close(dropped[kept], 2 * f[kept])


def test_relation_is_that_of_equations_18_and_19() -> None:
    relation = PoseAwareRelation(pose_features=3, channels=C, hidden=H, window=2)
    nn.init.normal_(relation.modulate.bias)
    fused, maps = draw(B, T, 3, seed=8), draw(B, T, C, 3, 2)
    representation, weights = relation(fused, maps)
    scale = relation.modulate.weight.detach().numpy(), relation.modulate.bias.detach().numpy()
    score = relation.score.weight.detach().numpy()[0]
    seen = np.zeros((B, T, C), np.float32)
    for number in range(B):
        for t in range(T):
            per_channel = scale[0] @ fused[number, t].numpy() + scale[1]
            places = maps[number, t].numpy()  # (C, 3, 2)
            modulated = per_channel[:, None, None] * places
            logits = np.einsum("c,cyx->yx", score, modulated)  # the 1x1 convolution
            expected = np.exp(logits) / np.exp(logits).sum()
            got = weights[number, t].detach().numpy()
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
            seen[number, t] = (expected * places).sum(axis=(1, 2))
    expected_h = relation.rnn(torch.from_numpy(seen))
    torch.testing.assert_close(representation, expected_h, rtol=1e-4, atol=1e-5)


def test_relation_looks_where_the_pose_says() -> None:
    relation = PoseAwareRelation(pose_features=2, channels=2, hidden=H, window=0)
    with torch.no_grad():
        relation.modulate.weight.copy_(20 * torch.eye(2))  # a pose turns on one channel
        relation.score.weight.fill_(1.0)
    maps = torch.zeros(1, 2, 2, 3, 3)
    maps[:, :, 0, 0, 2] = 1.0  # the first channel is bright in one corner,
    maps[:, :, 1, 2, 1] = 1.0  # the second elsewhere
    fused = torch.eye(2)[None]  # in frame 0 the first pose, in frame 1 the second
    _, weights = relation(fused, maps)
    assert weights[0, 0, 0, 2] > 0.99
    assert weights[0, 1, 2, 1] > 0.99
