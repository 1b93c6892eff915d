"""Answers for the short clips of videos, made up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from made_predictions import predictions

from posemill.predictions import Predictions

VIDEOS = "abcdefghijklmnopqrstuvwxyz"


def cut_answers(
    logits: Sequence[Any], labels: Sequence[int] | Sequence[tuple[int, ...]], **more: Any
) -> Predictions:
    """Of videos `a`, `b`, ... with logits (n, M) of n clips each and one label for all of them."""
    names = more.pop("videos", [f"{VIDEOS[n % 26]}{n // 26 or ''}" for n in range(len(logits))])
    rows = [
        (name, number, label)
        for name, each, label in zip(names, logits, labels, strict=True)
        for number in range(len(each))
    ]
    given = {
        "clip_ids": tuple(f"{name}/{number:04d}" for name, number, _ in rows),
        "video_ids": tuple(f"{name}.mp4" for name, _, _ in rows),
        **more,
    }
    return predictions(np.concatenate(list(logits)), [label for *_, label in rows], **given)


def sure_of(classes: Sequence[int], num_classes: int, sureness: Sequence[float] | float = 4.0):
    """(n, M) logits of n clips that are answered by these classes, more or less surely."""
    return np.eye(num_classes)[list(classes)] * np.reshape(sureness, (-1, 1))
