"""NTU RGB+D's .skeleton files, of bodies that a test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FIRST_ID = 72057594037931101
"""Of a body in the data set: more than 2**53."""


def _column(*values: float) -> np.ndarray:
    return np.tile(np.array(values, float), (25, 1))


@dataclass
class Body:
    """25 joints: by default joint k is at (500 + k, 300 + 2k) px and (k / 10, 1, 3) m."""

    number: int = FIRST_ID
    x: float = 500.0
    colour: np.ndarray = field(default_factory=lambda: _column(0, 300))
    xyz: np.ndarray = field(default_factory=lambda: _column(0, 1, 3))
    state: np.ndarray = field(default_factory=lambda: np.full(25, 2))

    def __post_init__(self) -> None:
        k = np.arange(25)
        self.colour += np.stack([self.x + k, 2.0 * k], axis=1)
        self.xyz[:, 0] += k / 10

    def lines(self) -> list[str]:
        """As Kinect's numbers look: the shortest text of each."""
        first = f"{self.number} 0 1 1 1 1 0 0.02764709 -0.05745083 2"
        return [first, "25", *(self._joint(k) for k in range(25))]

    def _joint(self, k: int) -> str:
        depth, orientation = (277.42, 191.82), (-0.214, 0.05, 0.951, -0.22)
        numbers = [*self.xyz[k], *depth, *self.colour[k], *orientation]
        return " ".join([*(_text(each) for each in numbers), str(self.state[k])])


def _text(number: float) -> str:
    return "NaN" if np.isnan(number) else f"{number:g}" if np.isfinite(number) else "-Infinity"


def skeleton_text(frames: Sequence[Sequence[Body]], end: str = "\r\n") -> str:
    lines = [str(len(frames))]
    for bodies in frames:
        lines += [str(len(bodies)), *(line for body in bodies for line in body.lines())]
    return "".join(line + end for line in lines)


def write_skeleton(path: Path, frames: Sequence[Sequence[Body]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(skeleton_text(frames), newline="")
    return path
