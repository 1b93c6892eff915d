"""The loss of a step: the network's own, and by the settings JMRN's contrast of joints."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from posemill.models.base import EMBEDDINGS, LOGITS, PoseNetwork
from posemill.models.losses import joint_contrastive_loss
from posemill.pipelines.training.settings import LossSettings


def step_loss(
    network: PoseNetwork,
    settings: LossSettings,
    outputs: Mapping[str, Tensor],
    labels: Tensor,
    instances: Tensor,
    epoch: int,
) -> Tensor:
    """The loss (), nats, of a batch in an epoch, from 1.

    Args:
        network: which gave the outputs, not wrapped in anything.
        outputs: of its `forward`, with embeddings where the settings contrast them.
        labels: (B,) classes, or (B, M) 0 or 1 where clips have any number of them.
        instances: (B,) equal for views of one clip.
    """
    loss = network.loss(outputs, labels)
    if settings.contrast == 0.0:
        return loss
    # Zero times it before its first epoch, so that every process has all gradients.
    weight = settings.contrast if epoch >= settings.contrast_from else 0.0
    contrast = joint_contrastive_loss(
        outputs[EMBEDDINGS],
        labels,
        temperature=settings.temperature,
        positives=settings.positives,
        instances=instances,
    )
    return loss + weight * contrast


def count_right(outputs: Mapping[str, Tensor], labels: Tensor) -> Tensor:
    """How many clips the highest logit names a class of."""
    answers = outputs[LOGITS].argmax(dim=1)
    if labels.ndim == 1:
        return (answers == labels).sum()
    return torch.gather(labels, 1, answers[:, None]).sum()
