"""A video's answer, of the answers for those of its clips that are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from posemill.pipelines.select.videos import CutVideos, Positions
from posemill.predictions import Predictions
from posemill.schema import Float32

Consensus = Literal["mean", "max"]


def join_clips(
    answers: Predictions,
    videos: CutVideos,
    kept: Positions,
    consensus: Consensus,
    made_with: Mapping[str, str],
) -> Predictions:
    """The answers for V videos, by id: mean or greatest probabilities of the clips kept of each.

    The greatest of one label are scaled to a sum of 1. Logits are means in any case. A
    video counts as empty where all clips kept of it are.
    """
    rows = videos.rows_at(kept)
    firsts = answers.pick([int(each[0]) for each in videos.rows])
    shares = np.stack([_joined(answers.probabilities[each], consensus) for each in rows])
    if consensus == "max" and not answers.multi_label:
        shares /= shares.sum(axis=1, keepdims=True)
    return replace(
        firsts,
        clip_ids=videos.ids,
        probabilities=shares,
        logits=np.stack([answers.logits[each].mean(axis=0) for each in rows]),
        empty=np.array([answers.empty[each].all() for each in rows]),
        made_with={**answers.made_with, **made_with},
    )


def _joined(shares: Float32, consensus: Consensus) -> Float32:
    """(M,) of the probabilities (K, M) of clips."""
    joined: Float32 = shares.mean(axis=0) if consensus == "mean" else shares.max(axis=0)
    return joined
