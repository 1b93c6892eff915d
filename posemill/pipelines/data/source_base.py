"""What a source of clips' arrays is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from posemill.pipelines.data.clips import ClipSet
from posemill.schema import Skeleton
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe

HELD_BYTES = 512 * 2**20
"""Up to this many bytes of a set of clips are held in memory; of more, each clip is read anew."""


class ClipSource(Protocol):
    """Labelled clips and the arrays that a recipe makes of them; may be pickled and forked."""

    @property
    def url(self) -> str:
        """The store, in messages and on the command line."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by label."""

    @property
    def skeleton(self) -> Skeleton:
        """Of the arrays."""

    @property
    def recipe(self) -> Recipe: ...

    @property
    def specs(self) -> tuple[OutputSpec, ...]:
        """Of the arrays of a clip."""

    @property
    def configuration(self) -> Mapping[str, Any]:
        """What decides the arrays: of a feature store, or as `materialize` would write it."""

    @property
    def configuration_hash(self) -> str: ...

    @property
    def start_method(self) -> str | None:
        """How processes that read it start; None is torch's own way, the quicker one."""

    def select(self, split: str, subset: str) -> ClipSet:
        """The labelled clips of a subset whose arrays can be had, in order.

        Raises:
            InputError: no such split or subset, none of its clips has a label, or none can be had.
            StoreCorrupted: the store is not as it was committed.
        """

    def holding(self, clips: ClipSet) -> Self:
        """This source with what it takes to read `clips` in memory, if that is not too much.

        Processes that are forked share it; a pickled source reads clip by clip.
        """

    def dropping(self, probability: float) -> Self:
        """This source, each person in a frame losing one limb joint with `probability`.

        PoseConv3D's test of robustness, table 4; see `augment.drop_one_joint`.

        Raises:
            InputError: the arrays are rendered already, or the skeleton has no such joints.
        """

    def read(
        self, clips: ClipSet, number: int, rng: np.random.Generator
    ) -> dict[str, npt.NDArray[Any]]:
        """The arrays of a clip in their stored dtypes, as a recipe returns them.

        Args:
            clips: some that `select` gave.
            number: of the clip among them.
            rng: the only source of randomness; not used of what is stored.

        Raises:
            StoreCorrupted: damaged bytes.
        """
