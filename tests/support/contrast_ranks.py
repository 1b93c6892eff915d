"""The contrastive loss of a process's share of a batch, in DistributedDataParallel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from posemill.models.losses import joint_contrastive_loss

BATCH, JOINTS, SIZE = 6, 3, 4


def batch() -> tuple[Tensor, Tensor]:
    """Inputs (B, J, D) and labels (B,)."""
    inputs = torch.randn(BATCH, JOINTS, SIZE, generator=torch.Generator().manual_seed(0))
    return inputs, torch.tensor([0, 1, 2, 0, 1, 0])


def loss_and_gradient(rank: int, world: int) -> tuple[float, list[list[float]]]:
    """The loss of the rank-th share, and the weights' gradient after it."""
    torch.manual_seed(0)
    layer = nn.Linear(SIZE, SIZE, bias=False)
    model: nn.Module = DistributedDataParallel(layer) if world > 1 else layer
    share = slice(rank * BATCH // world, (rank + 1) * BATCH // world)
    inputs, labels = (each[share] for each in batch())
    z = functional.normalize(model(inputs), dim=-1)
    loss = joint_contrastive_loss(z, labels, temperature=0.3)
    loss.backward()
    assert layer.weight.grad is not None
    return loss.item(), layer.weight.grad.tolist()
