"""Predictions that a test makes up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from posemill.predictions import Predictions


def softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def sigmoid(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return 1 / (1 + np.exp(-logits))


def predictions(
    logits: Any, labels: Sequence[int] | Sequence[tuple[int, ...]], **more: Any
) -> Predictions:
    """Of clips `c0`, `c1`, ...; probabilities as the logits give them."""
    logits = np.asarray(logits, np.float32)
    count, num_classes = logits.shape
    given = {
        "model": "potion",
        "split": "default",
        "subset": "test",
        "classes": tuple("abcdefghijklmnop"[:num_classes]),
        "clip_ids": tuple(f"c{number}" for number in range(count)),
        "video_ids": tuple(f"v{number}" for number in range(count)),
        "labels": tuple((each,) if isinstance(each, int) else tuple(each) for each in labels),
        "empty": np.zeros(count, bool),
        "probabilities": (sigmoid if more.get("multi_label") else softmax)(logits),
        "logits": logits,
        **more,
    }
    return Predictions(**given)


def answers(chosen: Sequence[int], labels: Sequence[int], num_classes: int, **more: Any):
    """As `predictions`, of a model that is sure of the classes `chosen`."""
    return predictions(20.0 * np.eye(num_classes)[list(chosen)], labels, **more)
