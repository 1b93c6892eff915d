"""Clips of made-up samples, rendered on the fly without a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from samples import made_sample

from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.clips import ClipSet
from posemill.pipelines.data.view_base import Views
from posemill.pipelines.data.views import create_views
from posemill.schema import Skeleton
from posemill.storage.feature_rows import FeatureRow
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe, create_recipe
from posemill.transforms.sample import Sample
from posemill.transforms.skeletons import COCO_17

CLASSES = ("wave", "jump", "nod")


@dataclass(frozen=True)
class MadeSource:
    """One sample for all clips; satisfies `ClipSource`."""

    recipe: Recipe
    sample: Sample
    classes: tuple[str, ...] = CLASSES
    url: str = "made.zarr"
    start_method: str | None = None

    @property
    def skeleton(self) -> Skeleton:
        return self.recipe.target(COCO_17)

    @property
    def specs(self) -> tuple[OutputSpec, ...]:
        return self.recipe.outputs(self.skeleton)

    @property
    def configuration(self) -> dict[str, Any]:
        return self.recipe.configuration()

    @property
    def configuration_hash(self) -> str:
        return "made"

    def select(self, split: str, subset: str) -> ClipSet:  # noqa: ARG002
        return made_clips()

    def holding(self, clips: ClipSet) -> MadeSource:  # noqa: ARG002
        return self

    def dropping(self, probability: float) -> MadeSource:  # noqa: ARG002
        return self

    def read(
        self,
        clips: ClipSet,  # noqa: ARG002
        number: int,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> dict[str, np.ndarray]:
        return self.recipe(self.sample, rng)


def made_source(recipe: str, *, num_frames: int = 30, **settings: str) -> MadeSource:
    return MadeSource(create_recipe(recipe, settings), made_sample(num_frames, 2))


def made_clips(
    labels: tuple[tuple[int, ...], ...] = ((0,), (1,), (2,)),
    mirrors: tuple[int, ...] | None = None,
) -> ClipSet:
    """A clip of each of these labels."""
    mirrors = (-1,) * len(labels) if mirrors is None else mirrors
    rows = [
        FeatureRow(f"c{n}", f"v{n}", own[0] if own else -1, mirror, {}, 0, labels=own)
        for n, (own, mirror) in enumerate(zip(labels, mirrors, strict=True))
    ]
    return ClipSet.of(rows, 0)


def made_views(recipe: str, augmentation: dict[str, Any], **settings: str) -> tuple[Views, dict]:
    """The views of a recipe, and the arrays of a clip of 30 frames."""
    source = made_source(recipe, **settings)
    arrays = source.read(made_clips(), 0, np.random.default_rng(0))
    return create_views(source, Augmentation(**augmentation)), arrays
