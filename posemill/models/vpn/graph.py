"""The body as a weighted graph, and a graph convolution for each pose of a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def weighted_adjacency(
    num_joints: int, limbs: Sequence[tuple[int, int]], connected: float, disconnected: float
) -> Tensor:
    """E (K, K): alpha where a limb joins two joints, beta where none does, 0 of a joint itself.

    Args:
        num_joints: K.
        limbs: pairs of joints.
        connected: alpha.
        disconnected: beta.
    """
    rows = [[disconnected] * num_joints for _ in range(num_joints)]
    for a, b in limbs:
        rows[a][b] = rows[b][a] = connected
    return torch.tensor(rows).fill_diagonal_(0.0)


def normalised_adjacency(edges: Tensor) -> Tensor:
    """D^-1/2 (E + I) D^-1/2 with D_ii = sum_j (E + I)_ij, which keeps lengths in bounds.

    Its largest eigenvalue is 1: it is similar to rows that each add up to 1.
    """
    looped = edges + torch.eye(len(edges))
    root = looped.sum(dim=1).rsqrt()
    return root[:, None] * looped * root


class GraphConvolutions(nn.Module):
    """f_t = A P_t W_t of each pose P_t, with weights W_t of its own (equation 1).

    As the equation has it, without bias and activation; the published code has both.

    Args:
        adjacency: A (K, K), normalised; it is not trained and not stored.
        num_poses: t_p.
        features: of a joint.
    """

    adjacency: Tensor

    def __init__(self, adjacency: Tensor, num_poses: int, features: int) -> None:
        super().__init__()
        self.register_buffer("adjacency", adjacency, persistent=False)
        self.weight = nn.Parameter(torch.empty(num_poses, 3, features))
        bound = (6 / (3 + features)) ** 0.5  # Glorot's, of each W_t
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, poses: Tensor) -> Tensor:
        """(B, features, t_p, K) of poses (B, 3, K, t_p)."""
        mixed = torch.einsum("jk,bckt->btjc", self.adjacency, poses)  # (B, t_p, K, 3)
        return torch.einsum("btjc,tcd->bdtj", mixed, self.weight)
