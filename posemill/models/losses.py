"""Losses of the pose models: of classes, and JMRN's contrastive loss of joints.

Shah et al., "Pose and Joint-Aware Action Recognition", WACV 2022, section 3.1,
equations 1 and 2, and its supplement, "Other variants for Joint-Contrastive loss".
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from posemill.models.gather import first_row, gather_rows

Positives = Literal["shared-label", "only-aug", "multi-label-weighted"]
"""Which instances of a batch an instance is drawn to, P(i).

    shared-label: those that share its label, or any of its labels (the published loss).
    only-aug: other views of the same instance.
    multi-label-weighted: as shared-label, weighed by how many labels they share.
"""


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of labels (B,), or binary cross-entropy of multi-hot ones (B, M).

    Args:
        logits: (B, M).
        labels: classes as int64 (B,), or zeros and ones as floats (B, M).

    Raises:
        ValueError: labels of another shape.
    """
    multi_label = labels.is_floating_point()
    if labels.shape != (logits.shape if multi_label else logits.shape[:1]):
        raise ValueError(
            f"labels must be integers (B,) or floats (B, M) of logits {tuple(logits.shape)}, "
            f"got {labels.dtype} {tuple(labels.shape)}"
        )
    if multi_label:
        return functional.binary_cross_entropy_with_logits(logits.float(), labels.float())
    return functional.cross_entropy(logits.float(), labels)


def joint_contrastive_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    temperature: float,
    positives: Positives = "shared-label",
    instances: Tensor | None = None,
) -> Tensor:
    """Sum over joints, and mean over the batch, of how unlike its positives an instance is.

    L = mean_i sum_j -1 / |P(i)| sum_{p in P(i)} log(exp(z_j^i z_j^p / tau) /
    sum_{a != i} exp(z_j^i z_j^a / tau)). Equation 2 sums over the batch; the authors'
    code takes the mean, which this does: lambda then means the same for any batch.
    An instance without positives adds 0 to the sum and counts in the mean; values
    that are not finite stay so. Where several processes train together, the
    batch is that of all of them, and each takes the mean over its own instances.

    Args:
        embeddings: z (B, J, D), unit vectors.
        labels: int64 (B,), or zeros and ones as floats (B, M).
        temperature: tau.
        positives: see `Positives`.
        instances: int64 (B,), equal for views of one instance; for only-aug.

    Raises:
        ValueError: shapes that do not fit, a temperature that is not above 0, or
            only-aug without instances.
    """
    if embeddings.ndim != 3 or len(labels) != len(embeddings) or labels.ndim not in (1, 2):
        raise ValueError(
            "embeddings must be (B, J, D), and labels (B,) or (B, M), got "
            f"{tuple(embeddings.shape)} and {tuple(labels.shape)}"
        )
    if positives == "only-aug":
        if instances is None or instances.shape != labels.shape[:1]:
            raise ValueError("positives=only-aug needs instances (B,): which clip a view shows")
        labels = instances
    weights = positive_weights(labels, gather_rows(labels), counted=positives == _WEIGHTED)
    with torch.autocast(embeddings.device.type, enabled=False):  # 1 / tau magnifies rounding
        z = embeddings.float()
        return contrastive_loss(z, gather_rows(z), weights, first_row(len(z)), temperature)


_WEIGHTED: Positives = "multi-label-weighted"


def positive_weights(labels: Tensor, others: Tensor, *, counted: bool) -> Tensor:
    """(B, N): 1 where an instance shares a label with another, else 0.

    Args:
        labels: (B,) or multi-hot (B, M); others: (N,) or (N, M).
        counted: how many labels they share, instead of 1.
    """
    if labels.ndim == 1:
        return (labels[:, None] == others[None]).float()
    shared = labels.float() @ others.float().T
    return shared if counted else (shared > 0).float()


def contrastive_loss(
    z: Tensor, others: Tensor, weights: Tensor, first: int, temperature: float
) -> Tensor:
    """Equations 1 and 2 of instances `others[first : first + B]`, of which z is a copy.

    Args:
        z: (B, J, D); others: (N, J, D), all instances.
        weights: (B, N), of positives; 0 for the rest. An instance's own is not read.
        first: which of all instances is the first of z.
        temperature: tau.

    Raises:
        ValueError: a temperature that is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    at = torch.arange(len(z), device=z.device)
    itself = torch.zeros_like(weights, dtype=torch.bool)  # (B, N)
    itself[at, at + first] = True
    similar = torch.einsum("ijd,njd->jin", z, others) / temperature  # (J, B, N)
    # Finite, not -inf, since an instance may be alone, and 0 * inf is no number.
    least = torch.finfo(similar.dtype).min
    log_sum = similar.masked_fill(itself, least).logsumexp(dim=2, keepdim=True)  # (J, B, 1)
    weights = weights.masked_fill(itself, 0.0)
    total = weights.sum(dim=1)  # (B,)
    losses = (weights * (log_sum - similar)).sum(dim=2) / total.where(total > 0, 1.0)  # (J, B)
    return losses.sum(dim=0).mean()
