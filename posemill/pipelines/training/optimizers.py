"""Optimizers by their settings."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from posemill.pipelines.training.settings import OptimizerSettings


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


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give all weights the learning rate `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def clip_gradients(model: nn.Module, greatest_norm: float) -> None:
    """Scale all gradients down until their norm is `greatest_norm`; 0 leaves them."""
    if greatest_norm > 0.0:
        nn.utils.clip_grad_norm_(model.parameters(), greatest_norm)
