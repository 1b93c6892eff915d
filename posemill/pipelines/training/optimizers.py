"""Optimizers by their settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from posemill.pipelines.training.settings import OptimizerSettings

_SLOTS: Mapping[type[torch.optim.Optimizer], frozenset[str]] = {
    torch.optim.Adam: frozenset({"step", "exp_avg", "exp_avg_sq"}),
    torch.optim.AdamW: frozenset({"step", "exp_avg", "exp_avg_sq"}),
    torch.optim.SGD: frozenset(),  # a momentum_buffer, unless there is no momentum
}
"""What torch's optimizers remember of each weight."""


def make_optimizer(
    settings: OptimizerSettings, weights: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """The optimizer of `settings` over the weights that are trained."""
    trained = [weight for weight in weights if weight.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.algorithm == "adam":
        return torch.optim.Adam(trained, lr=rate, weight_decay=decay)
    if settings.algorithm == "adamw":
        return torch.optim.AdamW(trained, lr=rate, weight_decay=decay)
    return torch.optim.SGD(
        trained,
        lr=rate,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=decay,
    )


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Go on from the state of an optimizer of the same settings over the same weights.

    Raises:
        KeyError, TypeError, ValueError: it is of another one, or none.
    """
    own = [dict(group) for group in optimizer.param_groups]
    optimizer.load_state_dict(dict(state))
    for before, group in zip(own, optimizer.param_groups, strict=True):
        for name in before.keys() - {"params", "lr"}:  # the rate is set before each step
            if group[name] != before[name]:
                raise ValueError(f"{name} is {group[name]}, expected {before[name]}")
        for weight in group["params"]:
            _check_slots(optimizer, weight)


def _check_slots(optimizer: torch.optim.Optimizer, weight: nn.Parameter) -> None:
    """What the optimizer remembers of a weight; nothing where no loss has reached it."""
    slots = optimizer.state.get(weight, {})
    if lacking := _SLOTS[type(optimizer)] - slots.keys() if slots else set():
        raise ValueError(f"a weight lacks {', '.join(sorted(lacking))}")
    for name, value in slots.items():
        if not isinstance(value, torch.Tensor) or value.shape not in (weight.shape, ()):
            raise ValueError(f"{name} is not of a weight of the shape {tuple(weight.shape)}")


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give all weights the learning rate `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def clip_gradients(model: nn.Module, greatest_norm: float) -> None:
    """Scale all gradients down until their norm is `greatest_norm`; 0 leaves them."""
    if greatest_norm > 0.0:
        nn.utils.clip_grad_norm_(model.parameters(), greatest_norm)
