"""What each of several processes that train together does."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from posemill.models.base import LOGITS
from posemill.models.jmrn import JmrnModel
from posemill.pipelines.training.meter import EpochTotals
from posemill.pipelines.training.processes import Processes


@dataclass(frozen=True)
class Shared:
    """What a process has after sharing."""

    totals: EpochTotals
    from_first: list[float]
    gradient_norm: float


def share_all(rank: int, world: int) -> Shared:
    """Totals that are summed, numbers of the first process, and gradients that are averaged."""
    processes = Processes(rank, world, torch.device("cpu"))
    processes.wait()
    mine = rank + 1.0
    totals = processes.total(EpochTotals(mine, 10 * mine, 100 * mine, 1.0 + rank / 2, rank / 2))
    numbers = processes.from_first(torch.tensor([10.0, 20.0]) * mine)
    return Shared(totals, numbers.tolist(), _gradients_without_contrast(processes))


def _gradients_without_contrast(processes: Processes) -> float:
    """The norm of the second step's gradients of a network that also gives embeddings."""
    torch.manual_seed(0)
    network = JmrnModel(width=2, cdim=2).network({"p": (3, 2, 12, 12)}, 2)
    shared = processes.share(network, compiled=False, all_used=not network.gives_embeddings)
    for step in range(2):
        network.zero_grad()
        torch.manual_seed(10 * step + processes.rank)
        shared({"p": torch.rand(2, 3, 2, 12, 12)})[LOGITS].square().mean().backward()
    gradients = [each.grad for each in network.parameters() if each.grad is not None]
    return float(torch.stack([each.norm() for each in gradients]).norm())
