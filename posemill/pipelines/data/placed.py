"""Training views as coordinates, for maps that are drawn on the device: kilobytes a clip.

`models.rasterize.draw_module` draws them. The draws are those of the views of
rendered maps, made on joints: equal keys give equal maps, but for what a border
cuts off, as joints come back from beyond it and pixels do not, and for steps of
quantisation. PoTion's U is over its greatest value inside the view, not on the
whole canvas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self, cast

import numpy as np
import torch
from torch import Tensor

from posemill.errors import InputError
from posemill.models.rasterize import PlacedBatch, collate_placed
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.batches import Allocate, label_tensor
from posemill.pipelines.data.clips import ClipSet
from posemill.pipelines.data.dataset import ClipDataset, ViewKey, check_training
from posemill.pipelines.data.rendered import RenderedSource
from posemill.pipelines.data.source_base import ClipSource
from posemill.pipelines.data.view_base import MapViews
from posemill.pipelines.data.views import create_views
from posemill.transforms.augment import jitter_joints, random_corner
from posemill.transforms.geometry import flip_joints
from posemill.transforms.placed import PlacedPoses
from posemill.transforms.recipes.people import GaussianRecipe
from posemill.transforms.recipes.potion import TimeEncodedRecipe
from posemill.transforms.recipes.tempposeconv import CubeRecipe
from posemill.transforms.sample import Sample
from posemill.transforms.seeding import clip_generator


class RaggedBatch(NamedTuple):
    """Views of B clips as coordinates."""

    placed: PlacedBatch
    """Of B clips, or of B views each, a clip's one after another."""
    labels: Tensor
    """As of a `Batch`."""
    number: Tensor
    """(B,) int64: of each clip in the dataset."""
    empty: Tensor
    """(B,) bool: whether nobody is seen in the clip's frames."""

    def pin_memory(self) -> Self:
        """The same in memory that a GPU copies from by itself."""
        others = (self.labels, self.number, self.empty)
        return type(self)(self.placed.pin_memory(), *(part.pin_memory() for part in others))


@dataclass(frozen=True)
class PlacedViews:
    """Training views of a recipe whose maps are drawn from coordinates."""

    recipe: GaussianRecipe
    augmentation: Augmentation
    mirror: tuple[int, ...]
    """Of the joints."""
    groups: tuple[tuple[int, ...], ...]
    """Of the joints that are jittered together."""
    shapes: dict[str, tuple[int, ...]]
    """What the device draws of a view; a network is built for it."""

    def train(
        self, sample: Sample, rng: np.random.Generator, count: int = 1
    ) -> tuple[list[PlacedPoses], bool]:
        """What `Views.train` does with the maps that the recipe renders of a sample.

        Returns:
            `count` views that share crop and mirror, and whether they are mirrored.
        """
        window = self._cropped(self.recipe.place(sample, rng), rng)
        drawn = [self._jittered(window, rng) for _ in range(count)]
        flipped = bool(rng.random() < self.augmentation.flip)
        return [self._mirrored(view) for view in drawn] if flipped else drawn, flipped

    def _cropped(self, placed: PlacedPoses, rng: np.random.Generator) -> PlacedPoses:
        """The window of a canvas; fresh volumes are cropped to the people already."""
        if not isinstance(self.recipe, TimeEncodedRecipe | CubeRecipe):
            return placed
        height, width = next(iter(self.shapes.values()))[-2:]
        valid_hw = min(height, placed.valid_hw[0]), min(width, placed.valid_hw[1])
        top, left = random_corner(placed.valid_hw, valid_hw, rng)
        xy_px = placed.xy_px - np.array([left, top], np.float32)
        return replace(placed, xy_px=xy_px, size_hw=(height, width), valid_hw=valid_hw)

    def _jittered(self, placed: PlacedPoses, rng: np.random.Generator) -> PlacedPoses:
        beta, gamma = self.augmentation.beta_px, self.augmentation.gamma_px
        xy_px = jitter_joints(placed.xy_px, self.groups, rng, beta=beta, gamma=gamma)
        return replace(placed, xy_px=xy_px)

    def _mirrored(self, placed: PlacedPoses) -> PlacedPoses:
        """In the part that shows the frame, which is what a mirror shows."""
        xy_px, score = flip_joints(placed.xy_px, placed.score, placed.valid_hw[1], self.mirror)
        return replace(placed, xy_px=xy_px, score=score)


def create_placed_views(source: ClipSource, augmentation: Augmentation) -> PlacedViews:
    """The training views of a source's clips as coordinates.

    Raises:
        InputError: the arrays are rendered already, are not drawn from coordinates
            or not anew for each view, or cannot be changed as the augmentation says.
    """
    views, recipe = create_views(source, augmentation), source.recipe
    if not isinstance(source, RenderedSource):
        raise InputError(
            f"{source.url} holds maps that are drawn already; give the poses and a recipe, for "
            "maps to be drawn on the device"
        )
    groups = views.groups if isinstance(views, MapViews) else ()
    if not isinstance(recipe, GaussianRecipe) or not recipe.placeable:
        raise InputError(
            f"the maps of the recipe {recipe.name} with {recipe.configuration()['settings']} are "
            "not drawn on the device; expected joints or limbs of people=all and source=triplets: "
            "let the loader render them"
        )
    fresh = isinstance(recipe, TimeEncodedRecipe) or recipe.draws_anew
    if not fresh or getattr(recipe, "views", 1) > 1:
        raise InputError(
            f"{recipe.name} on the device draws one fresh view of a clip; set draw=train, and "
            "views=1 where the recipe has that"
        )
    maps = source.specs[0].name
    mirror, shapes = source.skeleton.mirror, {maps: views.shapes[maps]}
    return PlacedViews(recipe, augmentation, mirror, groups, shapes)


class PlacedDataset(ClipDataset[RaggedBatch]):
    """Training views as coordinates, by keys of a `ClipSampler`.

    Args:
        source: of the clips' poses.
        clips: some that the source selected.
        views: see `create_placed_views`.
        seed: of every draw.
        views_per_clip: for a contrast; they differ in their jitter alone.
        multi_label: whether labels are (B, M), with 1 for each class of a clip.

    Raises:
        InputError: the clips are of one class, or cannot be flipped or lose joints.
    """

    def __init__(
        self,
        source: RenderedSource,
        clips: ClipSet,
        views: PlacedViews,
        seed: int,
        *,
        views_per_clip: int = 1,
        multi_label: bool = False,
    ) -> None:
        check_training(source, clips, views.augmentation)
        drop_joint = views.augmentation.drop_joint
        super().__init__(source, clips, seed=seed, drop_joint=drop_joint, multi_label=multi_label)
        self._views = views
        self._views_per_clip = views_per_clip

    @property
    def bytes_per_clip(self) -> None:
        """Every clip has as much as it has people and frames."""

    def __getitem__(self, key: tuple[int, int, int]) -> RaggedBatch:
        return self.__getitems__([key])

    def __getitems__(
        self,
        keys: Sequence[tuple[int, int, int]],
        allocate: Allocate = np.empty,
    ) -> RaggedBatch:
        items = [self._item(ViewKey(*key)) for key in keys]
        return RaggedBatch(
            placed=collate_placed([view for item in items for view in item.views]),
            labels=label_tensor([item.labels for item in items], self._num_labels),
            number=torch.tensor([item.number for item in items]),
            empty=torch.tensor([item.empty for item in items]),
        )

    def _item(self, key: ViewKey) -> _Item:
        rng = clip_generator(self._seed, self.clips.clip_ids[key.number], key.epoch, key.view)
        source = cast(RenderedSource, self._source)  # as those whose views were created are
        sample = source.sample(self.clips, key.number, rng)
        views, flipped = self._views.train(sample, rng, self._views_per_clip)
        return _Item(
            views,
            self.clips.labels_of(key.number, flipped=flipped),
            key.number,
            not views[0].score.any(),
        )


class _Item(NamedTuple):
    views: list[PlacedPoses]
    labels: tuple[int, ...]
    number: int
    empty: bool
