"""Settings that recipes of maps share: whose joints a map shows, and how a joint is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from posemill.errors import InputError
from posemill.schema import PoseSequence
from posemill.settings import setting
from posemill.transforms.people import People, split_people
from posemill.transforms.rasterize import MIN_SIGMA_PX, Combine
from posemill.transforms.recipes.base import Recipe
from posemill.transforms.sample import Requirement, Sample


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
class GaussianRecipe(PeopleRecipe):
    """A recipe of maps on which joints or limbs are drawn as Gaussians."""

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
