"""torch Datasets of views: batches of training views drawn by seed, and of test views.

Every draw comes from a generator seeded by (seed, clip id, epoch, view), so a
view depends neither on the number of workers nor on the order of reading.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from torch.utils.data import Dataset

from posemill.errors import InputError
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.batches import Allocate, Batch, Item, collate
from posemill.pipelines.data.clips import ClipSet, check_flip, check_test_flip, require_classes
from posemill.pipelines.data.source_base import ClipSource
from posemill.pipelines.data.view_base import Arrays, Views
from posemill.pipelines.data.views import view_specs
from posemill.transforms.recipes.views import ViewRecipe
from posemill.transforms.seeding import clip_generator


class ViewKey(NamedTuple):
    """Which training view: of which clip, and which draw of it."""

    epoch: int
    number: int
    """Of the clip in the dataset."""
    view: int = 0
    """Which of the clip's views in that epoch."""


class Pinnable(Protocol):
    """A batch of any kind."""

    def pin_memory(self) -> Self:
        """The same in memory that a GPU copies from by itself."""


BatchT = TypeVar("BatchT", bound=Pinnable)


class ClipDataset(Dataset[BatchT], ABC, Generic[BatchT]):
    """Clips of a source, a batch at a time."""

    def __init__(
        self,
        source: ClipSource,
        clips: ClipSet,
        *,
        seed: int,
        drop_joint: float,
        multi_label: bool,
    ) -> None:
        self.clips = clips
        self._source = source.dropping(drop_joint)
        self._holds = False
        self._seed = seed
        self._num_labels = len(source.classes) if multi_label else None

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def start_method(self) -> str | None:
        """How worker processes start; None is torch's own way."""
        return self._source.start_method

    def hold(self) -> None:
        """Read what is little enough into memory, once, for workers that are forked later."""
        if not self._holds:
            self._source, self._holds = self._source.holding(self.clips), True

    @abstractmethod
    def __getitems__(self, keys: Sequence[Any], allocate: Allocate = np.empty) -> BatchT:
        """The batch of these keys of a sampler, its arrays in memory from `allocate`.

        Raises:
            StoreCorrupted: damaged bytes.
        """

    @property
    @abstractmethod
    def bytes_per_clip(self) -> int | None:
        """Of its arrays in a batch, at most; None where nothing is known of that."""


class ViewDataset(ClipDataset[Batch]):
    """Clips as a recipe's arrays, seen by views."""

    def __init__(
        self,
        source: ClipSource,
        clips: ClipSet,
        views: Views,
        *,
        seed: int,
        drop_joint: float,
        multi_label: bool,
    ) -> None:
        super().__init__(source, clips, seed=seed, drop_joint=drop_joint, multi_label=multi_label)
        self._views = views

    def read(self, number: int, rng: np.random.Generator) -> tuple[Arrays, bool]:
        """The arrays of a clip, and whether there is nothing on its maps."""
        arrays = self._source.read(self.clips, number, rng)
        return arrays, self._views.shows_nothing(arrays)

    def _num_bytes(self, shapes: Mapping[str, tuple[int, ...]]) -> int:
        dtypes = {spec.name: np.dtype(spec.dtype) for spec in view_specs(self._source)}
        return sum(prod(shape) * dtypes[name].itemsize for name, shape in shapes.items())


class TrainDataset(ViewDataset):
    """Training views of a `ClipSet`, a batch at a time, by keys of a `ClipSampler`.

    Args:
        source: of the clips' arrays.
        clips: some that the source selected.
        views: see `create_views`.
        seed: of every draw.
        views_per_clip: for a contrast; they differ in their jitter alone. Of
            more than one, arrays are (B, views, ...).
        multi_label: whether labels are (B, M), with 1 for each class of a clip.

    Raises:
        InputError: the clips are of one class, or cannot be flipped or lose joints.
    """

    def __init__(
        self,
        source: ClipSource,
        clips: ClipSet,
        views: Views,
        seed: int,
        *,
        views_per_clip: int = 1,
        multi_label: bool = False,
    ) -> None:
        check_training(source, clips, views.augmentation)
        super().__init__(
            source,
            clips,
            views,
            seed=seed,
            drop_joint=views.augmentation.drop_joint,
            multi_label=multi_label,
        )
        self._views_per_clip = views_per_clip

    def __getitem__(self, key: tuple[int, int, int]) -> Batch:
        return self.__getitems__([key])

    def __getitems__(
        self, keys: Sequence[tuple[int, int, int]], allocate: Allocate = np.empty
    ) -> Batch:
        items = (self._item(ViewKey(*key)) for key in keys)
        return collate(items, len(keys), self._num_labels, allocate)

    @property
    def bytes_per_clip(self) -> int:
        return self._views_per_clip * self._num_bytes(self._views.shapes)

    def _item(self, key: ViewKey) -> Item:
        rng = clip_generator(self._seed, self.clips.clip_ids[key.number], key.epoch, key.view)
        arrays, empty = self.read(key.number, rng)
        views, flipped = self._views.train(arrays, rng, self._views_per_clip)
        return Item(
            views[0] if len(views) == 1 else _stacked(views),
            self.clips.labels_of(key.number, flipped=flipped),
            key.number,
            empty,
        )


class TestDataset(ViewDataset):
    """All test views of every clip of a `ClipSet`, whose scores are averaged: (B, V, ...).

    Args:
        source: of the clips' arrays.
        clips: some that the source selected.
        views: see `create_views`; only its crop counts.
        flip: whether the mirror images follow, which doubles V.
        seed: of what a recipe draws, for arrays that are rendered: those that
            `materialize` stores with the same seed.
        drop_joint: probability that a person in a frame loses a limb joint.
        multi_label: as `TrainDataset`'s.

    Raises:
        InputError: the recipe renders no test views, or the clips cannot be flipped
            or lose joints.
    """

    def __init__(
        self,
        source: ClipSource,
        clips: ClipSet,
        views: Views,
        *,
        flip: bool = False,
        seed: int = 0,
        drop_joint: float = 0.0,
        multi_label: bool = False,
    ) -> None:
        _check_test(source, clips, views, flip=flip)
        super().__init__(
            source, clips, views, seed=seed, drop_joint=drop_joint, multi_label=multi_label
        )
        self._flip = flip

    def __getitem__(self, number: int) -> Batch:
        return self.__getitems__([number])

    def __getitems__(self, numbers: Sequence[int], allocate: Allocate = np.empty) -> Batch:
        items = (self._item(number) for number in numbers)
        return collate(items, len(numbers), self._num_labels, allocate)

    @property
    def bytes_per_clip(self) -> int | None:
        if isinstance(self._source.recipe, ViewRecipe):
            return None  # it says what a view is, and not how many there are
        # Test views may be larger than those of training, but no larger than what they show.
        whole = {spec.name: spec.shape for spec in self._source.specs}
        return (2 if self._flip else 1) * self._num_bytes(whole)

    def _item(self, number: int) -> Item:
        rng = clip_generator(self._seed, self.clips.clip_ids[number])
        arrays, empty = self.read(number, rng)
        return Item(
            self._views.test(arrays, flip=self._flip),
            self.clips.labels[number],
            number,
            empty,
        )


def check_training(source: ClipSource, clips: ClipSet, augmentation: Augmentation) -> None:
    """Raises:
    InputError: the arrays are those of tests, or the clips are of one class, or are to be
        flipped and cannot be.
    """
    if isinstance(source.recipe, ViewRecipe):
        source.recipe.require_training_views()
    require_classes(source.url, source.classes, clips)
    if augmentation.flip > 0:
        check_flip(source.classes, clips)


def _check_test(source: ClipSource, clips: ClipSet, views: Views, *, flip: bool) -> None:
    if source.recipe.draws_anew:
        raise InputError(
            f"{source.url}: the recipe {source.recipe.name} with draw=train renders a fresh view "
            "at every call, and tests need fixed ones; set draw=test"
        )
    if flip and (unmirrored := views.unmirrored()):
        raise InputError(
            f"{' and '.join(unmirrored)} of {source.url} cannot be mirrored; test without the flip"
        )
    if flip:
        check_test_flip(source.classes, clips)


def _stacked(views: Sequence[Arrays]) -> Arrays:
    return {name: np.stack([view[name] for view in views]) for name in views[0]}
