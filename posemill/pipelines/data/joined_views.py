"""Views of several cubes of a clip in step: equal frames, windows, jitter and flips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from posemill.pipelines.data.mirrors import MapKind, Maps
from posemill.pipelines.data.view_base import Arrays, Views
from posemill.transforms.seeding import equal_generators


@dataclass(frozen=True)
class JoinedViews(Views):
    """Of a `JoinedSource`: each part draws the same numbers, and mirrors its maps as they are."""

    parts: tuple[Views, ...]

    @property
    def kinds(self) -> tuple[MapKind, ...]:
        return tuple(kind for part in self.parts for kind in part.kinds)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: shape for part in self.parts for name, shape in part.shapes.items()}

    def train(
        self, arrays: Mapping[str, Maps], rng: np.random.Generator, count: int = 1
    ) -> tuple[list[Arrays], bool]:
        generators = equal_generators(rng, len(self.parts))
        drawn = [
            part.train(arrays, generator, count)
            for part, generator in zip(self.parts, generators, strict=True)
        ]
        views = zip(*(views for views, _ in drawn), strict=True)
        return [_merged(view) for view in views], drawn[0][1]

    def test(self, arrays: Mapping[str, Maps], *, flip: bool = False) -> Arrays:
        return _merged(tuple(part.test(arrays, flip=flip) for part in self.parts))


def _merged(parts: tuple[Arrays, ...]) -> Arrays:
    return {name: array for part in parts for name, array in part.items()}
