"""Average precision of rankings: of clips by the scores of each class.

The rule is that of Charades' own script, Charades_v1_classify.m, which takes it
from THUMOS 2015: the precisions at each positive are averaged, none is
interpolated; a video without scores counts as one of score -inf; the classes'
figures are averaged with equal weights. JMRN's Charades and Mimetics figures
are of that kind.

Two cases the script leaves to chance or to NaN. It ranks equal scores as the
file has them; here all clips of equal score share the precision at the end of
their group, so that the order of clips changes nothing (clips without people
all have the same scores). And a class without positives gives it 0/0; here the
mean is that over the classes with positives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from posemill.predictions import positives_of
from posemill.schema import Float32

Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def precision_recall(
    scores: npt.NDArray[np.floating], positive: Bools, num_positives: int
) -> tuple[Float64, Float64]:
    """Precision and recall when all down to each of T different scores are taken, the best first.

    Args:
        scores: (N,). positive: (N,) which are right.
        num_positives: how many could be right, of which some may not be ranked; > 0.

    Returns:
        (T,) and (T,).
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.ones(len(ranked), np.bool_)  # of its group of equal scores
    last[:-1] = ranked[1:] != ranked[:-1]
    ends = np.flatnonzero(last)
    found = np.cumsum(positive[order])[ends]
    return found / (ends + 1), found / num_positives


def average_precision(scores: npt.NDArray[np.floating], positive: Bools) -> float:
    """The mean over the positives of the precision at their place in the ranking.

    Args:
        scores: (N,), -inf for what has none. positive: (N,).

    Returns:
        In (0, 1], NaN without positives.
    """
    num_positives = int(positive.sum())
    if not num_positives:
        return float("nan")
    precision, recall = precision_recall(scores, positive, num_positives)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def average_precisions(scores: Float32, positives: Bools) -> Float64:
    """(M,) of each class, NaN for one without positives.

    Args:
        scores: (N, M), rows of -inf for clips without scores. positives: (N, M).
    """
    return np.array(
        [average_precision(scores[:, m], positives[:, m]) for m in range(scores.shape[1])]
    )


def mean_average_precision(scores: Float32, labels: Sequence[Sequence[int]]) -> float:
    """The mean of `average_precisions` over the classes that any clip shows.

    Args:
        scores: (N, M). labels: of each clip, the numbers of the classes that it shows.

    Raises:
        ValueError: no clip shows a class.
    """
    mean = mean_over_classes(average_precisions(scores, positives_of(labels, scores.shape[1])))
    if mean is None:
        raise ValueError(f"none of {len(labels)} clips has a label; expected one at least")
    return mean


def mean_over_classes(figures: Float64) -> float | None:
    """The mean of what is not NaN; None where everything is."""
    known = figures[~np.isnan(figures)]
    return float(known.mean()) if len(known) else None


def chance_precision(positives: Bools) -> float:
    """What the mean average precision tends to when scores are drawn by chance.

    It is the mean over the classes with positives of their share of the clips; 0 without any.
    """
    shares = positives.mean(axis=0)
    return float(shares[shares > 0].mean()) if shares.any() else 0.0
