"""Late fusion: a mean of the models' scores with weights that are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from posemill.predictions import Predictions
from posemill.schema import Float32

Scores = Literal["probabilities", "logits"]


def fuse_late(
    joined: Sequence[Predictions], weights: Sequence[float], of: Scores = "probabilities"
) -> Predictions:
    """The answers by the weighted mean of scores, of answers that `join` gave.

    So PoseConv3D fuses joints and limbs, 1:1, and PA3D its streams, with equal
    weights. The logits are the weighted mean of logits in any case; `of` tells
    what the probabilities are made from.

    Raises:
        ValueError: another number of weights than answers, a negative one, or all are 0.
    """
    share = np.array(weights, np.float64)
    if share.shape != (len(joined),) or (share < 0).any() or not share.sum() > 0:
        raise ValueError(
            f"expected {len(joined)} weights of 0 or more, one of them above 0, got "
            f"{', '.join(map(str, weights))}"
        )
    share = share / share.sum()
    logits = _mean([each.logits for each in joined], share)
    if of == "logits":
        probabilities = to_probabilities(logits, multi_label=joined[0].multi_label)
    else:
        probabilities = _mean([each.probabilities for each in joined], share)
    return fused(joined, logits, probabilities)


def fused(joined: Sequence[Predictions], logits: Float32, probabilities: Float32) -> Predictions:
    """Answers with these scores, which several models gave together.

    A clip counts as empty where it was so for all of them: one that saw the
    pictures had something to answer by.
    """
    return replace(
        joined[0],
        model="+".join(each.model for each in joined),
        logits=logits,
        probabilities=probabilities,
        empty=np.all([each.empty for each in joined], axis=0),
        num_views=max(each.num_views for each in joined),
        made_with={},  # by several models, each in its way, which the record of the fusion tells
    )


def to_probabilities(logits: Float32, *, multi_label: bool) -> Float32:
    """(N, M) softmax over the classes, or each class's own sigmoid."""
    exact = logits.astype(np.float64)
    if multi_label:
        shares = 0.5 * (1.0 + np.tanh(exact / 2.0))  # the sigmoid, which so never overflows
    else:
        powers = np.exp(exact - exact.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
    return np.asarray(shares, np.float32)


def _mean(
    scores: Sequence[Float32], share: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Float32:
    mean: Float32 = np.einsum("m,mnc->nc", share, np.stack(scores)).astype(np.float32)
    return mean
