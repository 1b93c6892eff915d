"""Training views, drawn at random, and test views, the same at every call, of a clip's arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.mirrors import MapKind, Maps
from posemill.transforms.augment import pose_aware_jitter

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Views(ABC):
    """The views of clips, as a dataset asks for them."""

    augmentation: Augmentation

    @property
    @abstractmethod
    def kinds(self) -> tuple[MapKind, ...]:
        """Of the maps that a view shows."""

    @property
    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The arrays of a training view and their shapes; a network is built for them."""

    @abstractmethod
    def train(
        self, arrays: Mapping[str, Maps], rng: np.random.Generator, count: int = 1
    ) -> tuple[list[Arrays], bool]:
        """`count` views that show the same part, mirrored alike, each with a jitter of its own.

        So it is with the two views of JMRN's contrast (section 3.3).

        Returns:
            the arrays of each view, and whether they are mirrored.
        """

    @abstractmethod
    def test(self, arrays: Mapping[str, Maps], *, flip: bool = False) -> Arrays:
        """The test views, (V, ...) of every array; with `flip` followed by their mirror images."""

    def shows_nothing(self, arrays: Mapping[str, Maps]) -> bool:
        """Whether all maps of a clip are 0 throughout."""
        return not any(arrays[kind.name].any() for kind in self.kinds)

    def unmirrored(self) -> tuple[str, ...]:
        """Names of the maps of which it is not known what they become in a mirror."""
        return tuple(kind.name for kind in self.kinds if kind.flip is None)


@dataclass(frozen=True)
class MapViews(Views):
    """The views of a recipe's clips; a subclass says which part of the maps one shows."""

    maps: MapKind
    stored_shape: tuple[int, ...]
    """Of the maps of a clip."""
    groups: tuple[tuple[int, ...], ...]
    """Of the joints that are jittered together."""

    @property
    def kinds(self) -> tuple[MapKind, ...]:
        return (self.maps,)

    @abstractmethod
    def draw(self, arrays: Mapping[str, Maps], rng: np.random.Generator) -> Maps:
        """The maps of a training view, before jitter and flip."""

    @abstractmethod
    def fixed(self, arrays: Mapping[str, Maps]) -> Maps:
        """The maps (V, ...) of the test views."""

    def beside(self, arrays: Mapping[str, Maps], *, flipped: bool) -> Arrays:  # noqa: ARG002
        """What a view has beside its maps."""
        return {}

    def pad(self, maps: Maps) -> Maps:
        """Maps of the size of a view: zeros to the right and below."""
        return maps

    def train(
        self, arrays: Mapping[str, Maps], rng: np.random.Generator, count: int = 1
    ) -> tuple[list[Arrays], bool]:
        window = self.draw(arrays, rng)
        settings = self.augmentation
        drawn = [self._jitter(window, rng) for _ in range(count)]
        flipped = bool(rng.random() < settings.flip)
        if flipped:
            drawn = [self.mirrored(maps) for maps in drawn]
        beside = self.beside(arrays, flipped=flipped)
        return [{self.maps.name: self.pad(maps), **beside} for maps in drawn], flipped

    def test(self, arrays: Mapping[str, Maps], *, flip: bool = False) -> Arrays:
        fixed = self.fixed(arrays)
        sides = [(fixed, False), (self.mirrored(fixed), True)] if flip else [(fixed, False)]
        parts = [
            {
                self.maps.name: self.pad(maps),
                **_repeated(self.beside(arrays, flipped=flipped), len(maps)),
            }
            for maps, flipped in sides
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def mirrored(self, maps: Maps) -> Maps:
        """The maps as a mirror shows them.

        Raises:
            ValueError: it is not known how they are mirrored.
        """
        if self.maps.flip is None:
            raise ValueError(f"{self.maps.name} cannot be mirrored")
        return self.maps.flip(maps)

    def _jitter(self, maps: Maps, rng: np.random.Generator) -> Maps:
        beta, gamma = self.augmentation.beta_px, self.augmentation.gamma_px
        if not beta and not gamma:
            return maps
        # Without groups, where there is no axis of joints, any axis does.
        axis = -3 if self.maps.joint_axis is None else self.maps.joint_axis
        return pose_aware_jitter(maps, self.groups, rng, beta=beta, gamma=gamma, joint_axis=axis)


def _repeated(arrays: Arrays, count: int) -> Arrays:
    return {name: np.repeat(array[None], count, axis=0) for name, array in arrays.items()}
