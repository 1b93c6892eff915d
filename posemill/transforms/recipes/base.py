"""The interface of a recipe."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from posemill.schema import PoseSequence, Skeleton
from posemill.transforms.outputs import OutputSpec

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Recipe(ABC):
    """Poses of one clip to named arrays, as they are stored; pure.

    A recipe is a frozen dataclass: its fields are its settings, of the types
    that `settings.parse_settings` reads, with defaults. It checks them when
    made and raises InputError.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    """Raised with every change of the arrays made from equal poses and settings."""
    requires: ClassVar[frozenset[str]] = frozenset({"pose"})
    """What the pipeline must fetch for it."""

    @abstractmethod
    def outputs(self, skeleton: Skeleton) -> tuple[OutputSpec, ...]:
        """What the recipe returns for poses of `skeleton`, in order."""

    @abstractmethod
    def __call__(self, pose: PoseSequence, rng: np.random.Generator) -> Arrays:
        """The arrays of one clip, of the shapes and dtypes of `outputs`.

        Args:
            pose: of the clip alone, see `clips.clip_poses`. Without frames or
                people the maps are zeros.
            rng: the only source of randomness: equal generators, equal arrays.
        """

    def configuration(self) -> dict[str, Any]:
        """Name, version and all settings, as JSON has them; decides a store's identity."""
        settings = json.loads(json.dumps(asdict(self)))
        return {"name": self.name, "version": self.version, "settings": settings}
