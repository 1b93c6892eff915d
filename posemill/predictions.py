"""What a model answers for the clips of a subset: a score of every class for every clip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, Int64

_SUM_TOLERANCE = 1e-3  # of float32 probabilities of hundreds of classes, averaged over views


def positives_of(labels: Sequence[Sequence[int]], num_classes: int) -> npt.NDArray[np.bool_]:
    """(N, M) whether each clip shows the class, of N clips' numbers of classes."""
    shown = np.zeros((len(labels), num_classes), np.bool_)
    for clip, each in enumerate(labels):
        shown[clip, list(each)] = True
    return shown


@dataclass(frozen=True, eq=False)
class Predictions:
    """The answers for N clips of M classes; arrays are float32 and read-only.

    Raises:
        ValueError: lengths or shapes that disagree, no clip, an id twice, a label that is no
            class, scores that are not finite, or boxes beyond the frame.
    """

    model: str
    split: str
    subset: str
    classes: tuple[str, ...]
    """M names."""
    clip_ids: tuple[str, ...]
    video_ids: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]
    """Every class of each clip, once each; the first one is its class."""
    empty: npt.NDArray[np.bool_]
    """(N,) nobody was found in the clip: the answer is that to an input of zeros."""
    probabilities: Float32
    """(N, M) mean over the views: they sum to 1, or are each class's own where `multi_label`."""
    logits: Float32
    """(N, M) mean over the views."""
    multi_label: bool = False
    """Whether a clip may show several classes, or none; else it shows one."""
    boxes: Float32 | None = None
    """(N, 4) of the person that each clip is about: left, top, right, bottom as fractions of
    the frame; None where clips are about everybody."""
    times: npt.NDArray[np.float64] | None = None
    """(N,) seconds in the video at which the person is in the box; given with `boxes`."""
    num_unavailable: int = 0
    """Clips of the subset that have no features (a missing or unreadable video): not scored."""
    num_views: int = 1
    """Of each clip, whose scores were averaged."""
    made_with: Mapping[str, str] = field(default_factory=dict)
    """How they were made, for people: of which weights and store, with which changes to clips."""

    def __post_init__(self) -> None:
        for name, dtype in _DTYPES.items():
            value = getattr(self, name)
            if value is not None:
                array = np.array(value, dtype)
                array.flags.writeable = False
                object.__setattr__(self, name, array)
        self._check_classes()
        self._check_clips()
        self._check_labels()
        self._check_scores()
        self._check_boxes()
        if self.num_unavailable < 0 or self.num_views < 1:
            raise ValueError(
                f"predictions need num_unavailable >= 0 and num_views >= 1, got "
                f"{self.num_unavailable} and {self.num_views}"
            )

    def __len__(self) -> int:
        return len(self.clip_ids)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Predictions):
            return NotImplemented
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return all(_same(mine, others) for mine, others in pairs)

    __hash__ = None  # type: ignore[assignment]

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def answers(self) -> Int64:
        """(N,) the class of the greatest probability; of several, the first in `classes`."""
        greatest: Int64 = self.probabilities.argmax(axis=1)
        return greatest

    @property
    def first_labels(self) -> Int64:
        """(N,) the class of each clip, -1 for none."""
        return np.array([labels[0] if labels else -1 for labels in self.labels], np.int64)

    @property
    def positives(self) -> npt.NDArray[np.bool_]:
        """(N, M) whether the clip shows the class."""
        return positives_of(self.labels, self.num_classes)

    def pick(self, numbers: Iterable[int]) -> Predictions:
        """The answers for the clips of these numbers, in that order.

        Raises:
            ValueError: there are none, or one is given twice.
        """
        chosen = np.array(list(numbers), np.int64)
        return replace(
            self,
            clip_ids=tuple(self.clip_ids[number] for number in chosen),
            video_ids=tuple(self.video_ids[number] for number in chosen),
            labels=tuple(self.labels[number] for number in chosen),
            empty=self.empty[chosen],
            probabilities=self.probabilities[chosen],
            logits=self.logits[chosen],
            boxes=None if self.boxes is None else self.boxes[chosen],
            times=None if self.times is None else self.times[chosen],
        )

    def without_empty(self) -> Predictions | None:
        """The answers for clips with somebody in them; None without any."""
        seen = np.flatnonzero(~self.empty)
        return self.pick(seen.tolist()) if len(seen) else None

    def _check_classes(self) -> None:
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise ValueError(f"predictions need classes, each once, got {self.classes}")

    def _check_clips(self) -> None:
        if not self.clip_ids:
            raise ValueError("predictions need at least one clip")
        if len(set(self.clip_ids)) < len(self.clip_ids):
            twice = next(id_ for id_ in self.clip_ids if self.clip_ids.count(id_) > 1)
            raise ValueError(f"clip {twice} has two predictions; expected one for each clip")
        _require_shape("video_ids", (len(self.video_ids),), (len(self),))
        _require_shape("labels", (len(self.labels),), (len(self),))
        _require_shape("empty", self.empty.shape, (len(self),))

    def _check_labels(self) -> None:
        for id_, labels in zip(self.clip_ids, self.labels, strict=True):
            if any(not 0 <= label < self.num_classes for label in labels):
                raise ValueError(
                    f"clip {id_}: a label of {labels} is not one of {self.num_classes} classes"
                )
            if len(set(labels)) < len(labels) or not (labels or self.multi_label):
                raise ValueError(
                    f"clip {id_}: expected each of its classes once, and one at least unless clips "
                    f"have several, got the labels {labels}"
                )

    def _check_scores(self) -> None:
        shape = (len(self), self.num_classes)
        for name, scores in (("probabilities", self.probabilities), ("logits", self.logits)):
            _require_shape(name, scores.shape, shape)
            self._require_all(np.isfinite(scores), f"{name} that are numbers")
        slack = _SUM_TOLERANCE
        inside = (self.probabilities >= 0) & (self.probabilities <= 1 + slack)
        self._require_all(inside, "probabilities between 0 and 1")
        if not self.multi_label:
            sums = self.probabilities.sum(axis=1, dtype=np.float64)
            self._require_clips(abs(sums - 1) <= slack, "probabilities that sum to 1")

    def _check_boxes(self) -> None:
        if (self.boxes is None) != (self.times is None):
            raise ValueError("predictions need boxes and times, or neither")
        if self.boxes is None or self.times is None:
            return
        _require_shape("boxes", self.boxes.shape, (len(self), 4))
        _require_shape("times", self.times.shape, (len(self),))
        left, top, right, bottom = self.boxes.T
        good = (left >= 0) & (left < right) & (right <= 1) & (top >= 0) & (top < bottom)
        self._require_clips(good & (bottom <= 1), "a box with an area, in fractions of the frame")
        self._require_clips(np.isfinite(self.times), "a time in seconds")

    def _require_all(self, good: npt.NDArray[np.bool_], expected: str) -> None:
        """`good` (N, M), of each class."""
        self._require_clips(np.logical_and.reduce(good, axis=1), expected)

    def _require_clips(self, good: npt.NDArray[np.bool_], expected: str) -> None:
        if not good.all():
            first = self.clip_ids[int(np.argmin(good))]
            raise ValueError(f"clip {first} and {(~good).sum() - 1} others lack {expected}")


_DTYPES: dict[str, npt.DTypeLike] = {
    "empty": np.bool_,
    "probabilities": np.float32,
    "logits": np.float32,
    "boxes": np.float32,
    "times": np.float64,
}


def _require_shape(name: str, shape: Sequence[int], expected: Sequence[int]) -> None:
    if tuple(shape) != tuple(expected):
        raise ValueError(f"predictions: {name} must have the shape {expected}, got {shape}")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return type(one) is type(other) and bool(one == other)
