"""Oracle clips: those of a video for which the classifier is surest of what it truly shows."""

from __future__ import annotations

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.select.positions import Float64, top_positions
from posemill.pipelines.select.videos import CutVideos, Positions
from posemill.predictions import Predictions


def oracle_positions(answers: Predictions, videos: CutVideos, keep: int) -> Positions:
    """O_i = argtopK_j f_{y_i}(c_j) of each video i; of equal confidences the earlier clips.

    Raises:
        InputError: videos without labels.
    """
    confidence = true_confidence(answers)
    unlabelled = [
        video
        for video, rows in zip(videos.ids, videos.rows, strict=True)
        if np.isnan(confidence[rows]).any()
    ]
    if unlabelled:
        raise InputError(
            f"{len(unlabelled)} of {len(videos)} videos show no class, as {unlabelled[0]}, so that "
            "none of their clips can be told to show it best; give answers for labelled videos"
        )
    return tuple(top_positions(confidence[rows], keep) for rows in videos.rows)


def true_confidence(answers: Predictions) -> Float64:
    """(N,) f_y(c), the probability of each clip's class; NaN without one.

    The paper's videos have one class each. Of several it is the mean.
    """
    shown = answers.positives
    count = shown.sum(axis=1)
    total = np.where(shown, answers.probabilities, 0.0).sum(axis=1, dtype=np.float64)
    mean: Float64 = np.full(len(answers), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean
