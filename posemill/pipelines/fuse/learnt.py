"""JMRN's learnt fusion: the logits of M models are added with weights learnt on the train subset.

Supplement 9, equation 3: l = sum_m alpha_m l_m, with one alpha_m for each model,
or one for each model and class where a clip may show several. The models stay
as they are; the weights alone minimise the loss of the classification.

The paper states Adam, 100 epochs, learning rates of 1e-3, 1e-4 and 5e-4 (JHMDB,
HMDB, Charades) and logits of unit L2 norm for JHMDB and HMDB. It does not state
the batch (here the 128 of its HMDB and Charades training) nor where the weights
begin (here 1, the plain sum).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from posemill.errors import InputError
from posemill.pipelines.fuse.late import fused, to_probabilities
from posemill.predictions import Predictions

Weights = npt.NDArray[np.float64]
"""(M,), or (M, C) by class."""
_MIN_NORM = 1e-12


@dataclass(frozen=True, slots=True)
class LearntFusion:
    """How the weights are learnt.

    Raises:
        InputError: a number that is not above 0.
    """

    per_class: bool | None = None
    """A weight for each model and class; None has it where clips may show several classes."""
    unit_norm: bool = False
    """Whether each clip's logits of a model are scaled to unit L2 norm first."""
    epochs: int = 100
    learning_rate: float = 1e-3
    batch_size: int = 128
    seed: int = 0
    """Of the order of clips."""

    def __post_init__(self) -> None:
        if min(self.epochs, self.learning_rate, self.batch_size) <= 0:
            raise InputError(
                "learning to fuse needs epochs, a learning rate and a batch size above 0, got "
                f"{self.epochs}, {self.learning_rate} and {self.batch_size}"
            )


def learn_weights(joined: Sequence[Predictions], settings: LearntFusion) -> Weights:
    """The weights, learnt from answers for training clips that `join` gave.

    Raises:
        InputError: the loss became infinite.
    """
    multi_label = joined[0].multi_label
    logits = torch.from_numpy(_stack(joined, settings))  # (N, M, C)
    targets = _targets(joined[0])
    per_class = multi_label if settings.per_class is None else settings.per_class
    shape = (len(joined), logits.shape[2] if per_class else 1)
    alpha = torch.ones(shape, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([alpha], lr=settings.learning_rate)
    generator = torch.Generator().manual_seed(settings.seed)
    for _ in range(settings.epochs):
        order = torch.randperm(len(logits), generator=generator)
        for rows in torch.split(order, settings.batch_size):
            optimizer.zero_grad()
            combined = (alpha * logits[rows]).sum(dim=1)  # (B, C), equation 3
            loss = _loss(combined, targets[rows], multi_label=multi_label)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    if not torch.isfinite(alpha).all():
        raise InputError(
            f"the weights of the fusion became infinite with a learning rate of "
            f"{settings.learning_rate}; lower it, or take logits of unit norm"
        )
    found: Weights = alpha.detach().numpy()
    return found if per_class else found[:, 0]


def fuse_learnt(
    joined: Sequence[Predictions], weights: Weights, settings: LearntFusion
) -> Predictions:
    """The answers by the weighted sum of logits; weights as `learn_weights` gave them."""
    alpha = weights[:, None] if weights.ndim == 1 else weights
    logits = (alpha * _stack(joined, settings)).sum(axis=1).astype(np.float32)
    multi_label = joined[0].multi_label
    return fused(joined, logits, to_probabilities(logits, multi_label=multi_label))


def _stack(joined: Sequence[Predictions], settings: LearntFusion) -> npt.NDArray[np.float64]:
    """(N, M, C) logits, of unit norm over the classes where that is asked for."""
    logits = np.stack([each.logits for each in joined], axis=1).astype(np.float64)
    if not settings.unit_norm:
        return logits
    norms: npt.NDArray[np.float64] = np.linalg.norm(logits, axis=2, keepdims=True)
    return np.divide(logits, np.maximum(norms, _MIN_NORM))


def _targets(answers: Predictions) -> Tensor:
    """(N, C) which classes each clip shows, or (N,) which one."""
    if answers.multi_label:
        return torch.from_numpy(answers.positives.astype(np.float64))
    return torch.from_numpy(answers.first_labels)


def _loss(combined: Tensor, targets: Tensor, *, multi_label: bool) -> Tensor:
    if multi_label:
        return functional.binary_cross_entropy_with_logits(combined, targets)
    return functional.cross_entropy(combined, targets)
