"""What a network costs: its parameters, and its multiply-accumulates for one view."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from posemill.models.base import PoseNetwork, ViewShapes


@dataclass(frozen=True, slots=True)
class Counts:
    """Costs of a network."""

    parameters: int
    macs: int
    """Multiply-accumulates of convolutions and matrix products, which papers call FLOPs."""


def count(network: PoseNetwork, shapes: ViewShapes, *, classifier: bool = True) -> Counts:
    """Costs of `network` for one view of `shapes`, in evaluation; nothing is computed.

    Args:
        classifier: whether its last layer counts: papers leave it out, since its
            size is that of the classes.
    """
    # Tensors without values: a copy of any size costs nothing to run.
    network = deepcopy(network).to("meta").eval()
    if not classifier:
        network.classifier = _without(network.classifier)
    values = {name: torch.empty(1, *shape, device="meta") for name, shape in shapes.items()}
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(values)
    parameters = sum(weight.numel() for weight in network.parameters())
    return Counts(parameters=parameters, macs=counter.get_total_flops() // 2)


class _Nothing(nn.Module):
    """A classifier that costs nothing, of one class, so that several may be averaged."""

    def forward(self, features: Tensor) -> Tensor:
        return features[..., :1]


def _without(classifier: nn.Module) -> nn.Module:
    """What takes the place of a classifier, or of each of several."""
    if isinstance(classifier, nn.ModuleDict):
        return nn.ModuleDict({name: _Nothing() for name in classifier})
    return _Nothing()
