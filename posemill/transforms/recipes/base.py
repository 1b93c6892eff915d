"""The interface of a recipe."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Skeleton
from posemill.settings import check_settings, did_you_mean, setting
from posemill.transforms.outputs import OutputSpec, quantise_all
from posemill.transforms.sample import DenseKind, Requirement, Sample
from posemill.transforms.skeletons import SKELETONS, convert, get_skeleton, require_convertible

Arrays = dict[str, npt.NDArray[Any]]

OWN = "own"


@dataclass(frozen=True)
class Recipe(ABC):
    """One clip to named arrays, as they are stored; pure.

    A recipe is a frozen dataclass, equal and hashable by its settings: fields
    made by `settings.setting`. They are checked when it is made, which raises
    InputError. A subclass gives `outputs` and `render`.
    """

    kind: ClassVar[str] = "recipe"
    name: ClassVar[str]
    version: ClassVar[int]
    """Raised with every change of the arrays made from equal samples and settings."""

    skeleton: str = setting(OWN, "joints of the output, a skeleton's name or own")

    def __post_init__(self) -> None:
        check_settings(self)
        if self.skeleton not in (OWN, *SKELETONS):
            raise InputError(
                f"recipe {self.name}: no skeleton is called {self.skeleton!r}"
                f"{did_you_mean(self.skeleton, SKELETONS)}; there are: own, {', '.join(SKELETONS)}"
            )

    @property
    def requires(self) -> frozenset[Requirement]:
        """What the pipeline must fetch for it."""
        return frozenset({"pose"})

    @property
    def draws_anew(self) -> bool:
        """Whether every call is another random view: for rendering on the fly, not for a cache."""
        return False

    def target(self, source: Skeleton) -> Skeleton:
        """The skeleton of the outputs, for poses of the skeleton `source`.

        Raises:
            InputError: such poses cannot be converted to it.
        """
        target = source if self.skeleton == OWN else get_skeleton(self.skeleton)
        require_convertible(source, target)
        return target

    def dense_channels(self, target: Skeleton) -> Mapping[DenseKind, int]:  # noqa: ARG002
        """How many channels it takes of each kind of the estimator's own maps, for outputs in the
        skeleton `target`; none where `requires` does not name them."""
        return {}

    @abstractmethod
    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        """What the recipe returns, in order, in the skeleton `target`."""

    @abstractmethod
    def render(self, sample: Sample, rng: np.random.Generator) -> Mapping[str, npt.NDArray[Any]]:
        """The outputs of one clip whose poses are of the target skeleton already.

        They are quantised as `outputs` says, but for those of the stored dtype.
        What is left out is stored as zeros, as it should be for a clip without
        frames.
        """

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        """The arrays of one clip, of the shapes and dtypes of `outputs`.

        Args:
            rng: the only source of randomness: equal generators, equal arrays.

        Raises:
            InputError: the poses cannot be converted to the target skeleton, or
                the sample lacks what `requires` names.
        """
        target = self.target(get_skeleton(sample.pose.skeleton))
        specs = self.outputs(target)
        values = dict(self.render(replace(sample, pose=convert(sample.pose, target)), rng))
        left_out = {spec.name: spec.zeros() for spec in specs if spec.name not in values}
        return quantise_all(values | left_out, specs)

    def configuration(self) -> dict[str, Any]:
        """Name, version and all settings, as JSON has them; decides a store's identity."""
        settings = json.loads(json.dumps(asdict(self)))
        return {"name": self.name, "version": self.version, "settings": settings}
