"""The body's graph and its convolutions against equation 1, in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from posemill.models.vpn.graph import (  # noqa: E402
    GraphConvolutions,
    normalised_adjacency,
    weighted_adjacency,
)
from posemill.transforms.skeletons import NTU_25, SKELETONS  # noqa: E402

ALPHA, BETA = 5.0, 2.0


def edges_by_hand(num_joints: int, limbs: tuple[tuple[int, int], ...]) -> np.ndarray:
    edges = np.zeros((num_joints, num_joints))
    for i in range(num_joints):
        for j in range(num_joints):
            joined = (i, j) in limbs or (j, i) in limbs
            edges[i, j] = 0.0 if i == j else ALPHA if joined else BETA
    return edges


def test_ntu_s_graph_adds_up_as_counted_by_hand() -> None:
    edges = weighted_adjacency(25, NTU_25.limbs, ALPHA, BETA)
    # 24 limbs twice, and what is left of 25 x 24 pairs.
    assert edges.sum().item() == 2 * 24 * 5 + (25 * 24 - 2 * 24) * 2 == 1344


@pytest.mark.parametrize("name", SKELETONS)
def test_adjacency_is_that_of_the_paper(name: str) -> None:
    skeleton = SKELETONS[name]
    edges = weighted_adjacency(skeleton.num_keypoints, skeleton.limbs, ALPHA, BETA)
    expected = edges_by_hand(skeleton.num_keypoints, skeleton.limbs)
    np.testing.assert_array_equal(edges.numpy(), expected)
    looped = expected + np.eye(len(expected))
    degree = np.diag(looped.sum(axis=1) ** -0.5)
    normalised = normalised_adjacency(edges)
    np.testing.assert_allclose(normalised.numpy(), degree @ looped @ degree, rtol=1e-6)
    eigenvalues = np.linalg.eigvalsh(normalised.double().numpy())
    assert eigenvalues.max() == pytest.approx(1.0, abs=1e-6)


def test_a_graph_without_edges_leaves_joints_alone() -> None:
    edges = weighted_adjacency(4, ((0, 1),), 0.0, 0.0)
    torch.testing.assert_close(normalised_adjacency(edges), torch.eye(4))


def test_every_pose_is_convolved_with_weights_of_its_own() -> None:
    torch.manual_seed(0)
    limbs = ((0, 1), (1, 2))
    adjacency = normalised_adjacency(weighted_adjacency(4, limbs, ALPHA, BETA))
    layer = GraphConvolutions(adjacency, num_poses=5, features=6)
    poses = torch.randn(2, 3, 4, 5)
    got = layer(poses).detach().numpy()
    assert got.shape == (2, 6, 5, 4)
    a, weight = adjacency.numpy(), layer.weight.detach().numpy()
    for clip in range(2):
        for t in range(5):
            expected = a @ poses[clip, :, :, t].numpy().T @ weight[t]  # (4, 6)
            np.testing.assert_allclose(got[clip, :, t].T, expected, atol=1e-6)
    assert "adjacency" not in layer.state_dict()


def test_relabelled_joints_give_relabelled_features() -> None:
    torch.manual_seed(1)
    order = torch.randperm(25)  # the new skeleton's joint n is the old one's order[n]
    place = order.argsort().tolist()
    limbs = [(place[a], place[b]) for a, b in NTU_25.limbs]
    layers = []
    for joined in (NTU_25.limbs, limbs):
        adjacency = normalised_adjacency(weighted_adjacency(25, joined, ALPHA, BETA))
        layers.append(GraphConvolutions(adjacency, num_poses=3, features=8))
    layers[1].load_state_dict(layers[0].state_dict())
    poses = torch.randn(2, 3, 25, 3)
    relabelled = layers[1](poses[:, :, order])
    torch.testing.assert_close(relabelled, layers[0](poses)[..., order])
    assert not torch.allclose(layers[0](poses[:, :, order]), layers[0](poses)[..., order])
