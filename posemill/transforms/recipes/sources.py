"""The setting `source`: maps drawn from triplets, or the estimator's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from posemill.errors import InputError
from posemill.settings import setting
from posemill.transforms.recipes.people import PeopleRecipe
from posemill.transforms.sample import Requirement

Source = Literal["triplets", "dense"]


@dataclass(frozen=True)
class SourceRecipe(PeopleRecipe):
    """A recipe that can take an estimator's dense maps, where the pose store kept them."""

    source: Source = setting("triplets", "maps drawn from triplets, or the estimator's own")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source == "dense" and (self.people != "all" or self.skeleton != "own"):
            raise InputError(
                f"recipe {self.name}: an estimator's dense maps show everybody, in its own "
                "skeleton, so source=dense goes with people=all and skeleton=own only, got "
                f"people={self.people} and skeleton={self.skeleton}"
            )

    @property
    def placeable(self) -> bool:
        return super().placeable and self.source == "triplets"

    @property
    def requires(self) -> frozenset[Requirement]:
        return super().requires | ({"dense"} if self.source == "dense" else set())
