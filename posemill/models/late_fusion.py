"""Several classifiers of one network: their answers averaged, their losses added."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor


def mean_answer(logits: Sequence[Tensor]) -> Tensor:
    """Logits (B, M) whose softmax is the mean of the softmaxes of logits (B, M).

    Of all that have this softmax they are the ones whose level, the logarithm of the sum
    of their exponentials, is the mean of the levels: equal classifiers give their own
    logits, and so their own sigmoids, where clips have any number of labels.
    """
    each = torch.stack([one.float() for one in logits])  # (K, B, M)
    level = each.logsumexp(dim=2, keepdim=True)
    mean = (each - level).logsumexp(dim=0) - log(len(logits))
    return mean + level.mean(dim=0)
