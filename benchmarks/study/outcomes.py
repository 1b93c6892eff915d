"""Which test clips were recognised; their ids are `subset/class/number`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from posemill.predictions import Predictions


def recognised(predictions: Predictions) -> dict[str, bool]:
    """By the ids of clips, whether the most probable class is the clip's."""
    answers: npt.NDArray[np.int64] = predictions.probabilities.argmax(axis=1)
    labels = [label for (label,) in predictions.labels]
    right = (answers == np.array(labels)).tolist()
    return dict(zip(predictions.clip_ids, right, strict=True))


def as_letters(right: Mapping[str, bool], classes: Sequence[str]) -> str:
    """A 1 or 0 for each clip, in the order of classes and numbers."""

    def place(clip_id: str) -> tuple[int, str]:
        _, name, number = clip_id.split("/")
        return classes.index(name), number

    return "".join("1" if right[clip_id] else "0" for clip_id in sorted(right, key=place))


def from_letters(lines: Sequence[str], num_classes: int) -> npt.NDArray[np.bool_]:
    """(S, classes, N): outcomes of S seeds, each as `as_letters` has them."""
    right = np.array([[letter == "1" for letter in line] for line in lines])
    return right.reshape(len(lines), num_classes, -1)
