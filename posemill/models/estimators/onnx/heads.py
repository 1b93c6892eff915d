"""What a network's last layers give, as candidates; common to all families."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from posemill.schema import Float32

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Possible people of one frame, in pixels of the network's input, centres on integers."""

    boxes_px: Float32  # (N, 4) left, top, right, bottom
    score: Float32  # (N,) that it is a person
    xy_px: Float32  # (N, 17, 2)
    visibility: Float32  # (N, 17)

    def chosen(self, which: np.ndarray[tuple[int], np.dtype[np.int64 | np.bool]]) -> Candidates:
        """Those at the positions `which`, or where that is true."""
        return Candidates(
            self.boxes_px[which], self.score[which], self.xy_px[which], self.visibility[which]
        )


class Head(Protocol):
    """How to read the outputs of one network."""

    @property
    def overlapping(self) -> bool:
        """Whether it may give one person several times."""

    def candidates(self, outputs: Sequence[Float32], min_score: float) -> list[Candidates]:
        """Outputs of B frames to the candidates of each that score at least `min_score`."""


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Which candidates are people.

    Raises:
        ValueError: a number outside [0, 1].
    """

    min_score: float
    """Least score of a person, in [0, 1]."""
    max_overlap: float
    """Greatest intersection over union of two people's boxes, in [0, 1]."""

    def __post_init__(self) -> None:
        if not (0 <= self.min_score <= 1 and 0 <= self.max_overlap <= 1):
            raise ValueError(
                f"min_score {self.min_score} and max_overlap {self.max_overlap} must be in [0, 1]"
            )


@dataclass(frozen=True, slots=True)
class Family:
    """Networks of one kind: what goes in, how to know them, what comes out."""

    name: str
    """Of the estimator."""
    expected: str
    """The outputs by which it is known, in words."""
    recognise: Callable[[Sequence[Shape], Mapping[str, str]], Head | None]
    """Shapes of the outputs for one frame, and the file's metadata, to its head."""
    bgr: bool
    """Whether colours are blue, green, red."""
    brightest: float
    """What the byte 255 is in its input."""
    any_rectangle: bool
    """Whether, where its input's size is open, any rectangle will do; else a square."""
    settings: HeadSettings
    """The usual ones."""
