"""Settings that recipes of maps share: whose joints a map shows, and how a joint is drawn."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from posemill.errors import InputError
from posemill.schema import PoseSequence
from posemill.settings import setting
from posemill.transforms.people import People, split_people
from posemill.transforms.placed import PlacedPoses
from posemill.transforms.rasterize import MIN_SIGMA_PX, Combine
from posemill.transforms.recipes.base import Recipe
from posemill.transforms.sample import Requirement, Sample
from posemill.transforms.skeletons import convert, get_skeleton


@dataclass(frozen=True)
class PeopleRecipe(Recipe):
    """A recipe whose maps show all people together or apart, see `people.split_people`.

    Apart, each array gets one dimension more: `person`, or `role` (the labelled
    person, the others).
    """

    people: People = setting("all", "whose joints a map shows")
    max_people: int = setting(2, "how many, with people=each", low=1, high=64, unit="people")

    @property
    def requires(self) -> frozenset[Requirement]:
        return super().requires | ({"boxes"} if self.people == "box" else set())

    @property
    def placeable(self) -> bool:
        """Whether coordinates alone say what its maps show, see `GaussianRecipe.place`."""
        return self.people == "all"

    def groups(self, sample: Sample) -> tuple[PoseSequence, ...]:
        """The parts of the sample's poses, one for each group of maps.

        Raises:
            InputError: a box is needed, and the clip has none.
        """
        if self.people == "box" and not sample.boxes:
            raise InputError(
                f"recipe {self.name}: people=box needs the labelled person's box, and the clip "
                "has none; give a catalog with boxes, or set people=all or people=each"
            )
        return split_people(sample.pose, self.people, self.max_people, sample.boxes)

    def group_sizes(self) -> dict[str, int]:
        """Name and size of the dimension of the groups, or nothing."""
        sizes = {"all": {}, "each": {"person": self.max_people}, "box": {"role": 2}}
        return sizes[self.people]


@dataclass(frozen=True)
class GaussianMaps(Recipe):
    """How joints or limbs are drawn as Gaussians, and stored."""

    sigma: float = setting(
        1.0, "of the Gaussians on the maps", low=MIN_SIGMA_PX, high=100.0, unit="px"
    )
    truncate: float = setting(3.0, "where Gaussians end", low=0.5, high=10.0, unit="sigma")
    combine: Combine = setting("max", "how people of a frame meet in a pixel")

    def gaussians(self) -> dict[str, Any]:
        """Arguments of `rasterize.draw_joints` and its like."""
        return {"sigma": self.sigma, "truncate": self.truncate, "combine": self.combine}

    def storage(self) -> dict[str, Any]:
        """dtype and scale of joint and limb maps: uint8 steps of 1/255, as they lie in [0, 1].

        A sum over people may exceed 1, and is kept as float16.
        """
        if self.combine == "sum":
            return {"dtype": "float16"}
        return {"dtype": "uint8", "scale_factor": 1.0 / 255.0}


@dataclass(frozen=True)
class GaussianRecipe(GaussianMaps, PeopleRecipe):
    """A recipe of maps on which joints or limbs are drawn as Gaussians."""

    def place(self, sample: Sample, rng: np.random.Generator) -> PlacedPoses:
        """Where the joints are on the maps that an equal generator would give, undrawn.

        To be drawn elsewhere, on a GPU say: what is drawn of it are the recipe's
        values before they are quantised.

        Raises:
            InputError: the maps show people apart or are the estimator's own, or
                the poses cannot be converted to the target skeleton.
        """
        if not self.placeable:
            names = [name for name in ("people", "source") if hasattr(self, name)]
            got = " and ".join(f"{name}={getattr(self, name)}" for name in names)
            raise InputError(
                f"recipe {self.name}: only maps of people=all and source=triplets can be drawn "
                f"from coordinates alone, got {got}; set those, or render the maps"
            )
        target = self.target(get_skeleton(sample.pose.skeleton))
        return self.place_people(replace(sample, pose=convert(sample.pose, target)), rng)

    @abstractmethod
    def place_people(self, sample: Sample, rng: np.random.Generator) -> PlacedPoses:
        """As `place`, of a sample whose poses are of the target skeleton already."""
