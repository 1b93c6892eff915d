"""The clips of a run: trained on and held out, from a store that fits the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from posemill.errors import InputError
from posemill.models.base import PoseNetwork
from posemill.pipelines.data import (
    ClipSampler,
    ClipSet,
    ClipSource,
    Loader,
    PlacedDataset,
    PlacedViews,
    TestDataset,
    TestSampler,
    TrainDataset,
    Views,
    create_placed_views,
    create_views,
    make_loader,
    open_joined,
    parts_of,
    view_specs,
)
from posemill.pipelines.data.dataset import ClipDataset
from posemill.pipelines.data.loader import BatchLoader
from posemill.pipelines.data.rendered import RenderedSource
from posemill.pipelines.materialize import parse_assignments
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.device_maps import DrawnMaps, LoadedMaps
from posemill.pipelines.training.hold_out import split_off
from posemill.pipelines.training.initial import InitialWeights
from posemill.storage.layout import POSES_KIND
from posemill.storage.objects import Place
from posemill.storage.store_root import read_kind

_TEST_BATCH = 16
"""Clips, each with all of its views."""


@dataclass(frozen=True)
class TrainingClips:
    """What a run reads."""

    source: ClipSource
    test_source: ClipSource
    """Of the held-out clips' test views; the same one where the store holds them."""
    views: Views | PlacedViews
    """As maps, or as coordinates of which the device draws them."""
    trained: ClipSet
    held_out: ClipSet

    @staticmethod
    def views_per_clip(config: TrainConfig) -> int:
        """Two where they are contrasted."""
        return 2 if config.loss.contrast > 0 else 1

    def sampler(self, config: TrainConfig, rank: int, world_size: int) -> ClipSampler:
        """The order of the training clips.

        Raises:
            InputError: a batch that cannot be shared evenly by the processes.
        """
        if config.batch_size % world_size:
            raise InputError(
                f"a batch of {config.batch_size} clips cannot be shared evenly by {world_size} "
                "processes; give a --batch-size that is a multiple of them"
            )
        return ClipSampler(
            [labels[0] for labels in self.trained.labels],
            config.batch_size // world_size,
            config.seed,
            rank=rank,
            world_size=world_size,
            balance=config.clips.balance,
            repeat=config.clips.repeat,
        )

    def loader(
        self, config: TrainConfig, sampler: ClipSampler, device: torch.device
    ) -> BatchLoader[Any]:
        """Batches of training views, for `maps`."""
        options: dict[str, Any] = {
            "views_per_clip": self.views_per_clip(config),
            "multi_label": config.loss.multi_label,
        }
        dataset: ClipDataset[Any]  # of batches that `maps` takes
        if isinstance(self.views, PlacedViews):
            source = cast(RenderedSource, self.source)  # the only one that has such views
            dataset = PlacedDataset(source, self.trained, self.views, config.seed, **options)
        else:
            dataset = TrainDataset(self.source, self.trained, self.views, config.seed, **options)
        return make_loader(
            dataset, sampler, config.machine.workers, pin_memory=device.type == "cuda"
        )

    def maps(self, config: TrainConfig, device: torch.device) -> LoadedMaps | DrawnMaps:
        """What makes maps of the loader's batches."""
        if isinstance(self.views, PlacedViews):
            return DrawnMaps.of(self.source, device, self.views_per_clip(config))
        return LoadedMaps(view_specs(self.source))

    def held_out_loader(self, config: TrainConfig) -> Loader | None:
        """Batches of the held-out clips' test views; None where none are held out.

        Raises:
            InputError: the recipe renders no test views.
        """
        if not len(self.held_out):
            return None
        return view_loader(self.test_source, self.held_out, config)


def open_clips(stores: Sequence[Place], config: TrainConfig, catalog: Path | None) -> TrainingClips:
    """The clips that a configuration trains on; see `open_clip_source`.

    Raises:
        InputError: the store cannot be used, or holds no such clips.
        StoreCorrupted: the store is not as it was committed.
    """
    source = open_clip_source(stores, config, catalog, testing=False)
    clips = source.select(config.split, config.subset)
    _check_labels(config, clips)
    trained, held_out = split_off(
        clips.video_ids, [labels[0] for labels in clips.labels], config.clips.hold_out, config.seed
    )
    test_source = open_clip_source(stores, config, catalog, testing=True)
    _check_fixed(test_source)
    return TrainingClips(
        source=source,
        test_source=test_source,
        views=_create_views(source, config),
        trained=clips.pick(trained.tolist()),
        held_out=clips.pick(held_out.tolist()),
    )


def open_clip_source(
    stores: Sequence[Place], config: TrainConfig, catalog: Path | None, *, testing: bool
) -> ClipSource:
    """A store, or several whose arrays are joined by clip, for training or for testing; of pose
    stores the configuration's recipes, or the model's first.

    Feature stores are tested on by the views that they hold, whatever settings there are for
    pose stores.

    Raises:
        InputError: there is no such store, one of a recipe that the model does not
            read, or some that cannot be joined.
    """
    recipes, settings = config.recipes, parse_assignments(config.recipe_settings)
    if testing:
        settings |= parse_assignments(config.test_settings)
        if not any(read_kind(store) == POSES_KIND for store in stores):
            recipes, settings = (), {}
    readable = config.model.recipes
    source = open_joined(stores, recipes, settings, catalog, default=readable[0])
    for part in parts_of(source):
        if part.recipe.name not in readable:
            raise InputError(
                f"{part.url} has arrays of the recipe {part.recipe.name!r}; the model "
                f"{config.model.name} reads {' or '.join(readable)}; materialize or render one of "
                "these"
            )
    return source


def _create_views(source: ClipSource, config: TrainConfig) -> Views | PlacedViews:
    on_device = config.draw == "device"
    create = create_placed_views if on_device else create_views
    return create(source, config.augmentation)


def view_loader(
    source: ClipSource,
    clips: ClipSet,
    config: TrainConfig,
    *,
    flip: bool = False,
    drop_joint: float = 0.0,
) -> Loader:
    """Batches of all test views of each clip."""
    views = create_views(source, config.augmentation)
    dataset = TestDataset(
        source,
        clips,
        views,
        flip=flip,
        seed=config.seed,
        drop_joint=drop_joint,
        multi_label=config.loss.multi_label,
    )
    return make_loader(dataset, TestSampler(len(clips), _TEST_BATCH), config.machine.workers)


def require_trainable(
    config: TrainConfig, clips: TrainingClips, initial: InitialWeights | None
) -> PoseNetwork:
    """The network, without memory for its weights; so that what does not fit is said early.

    Raises:
        InputError: views that the model cannot take, a contrast that it has not, or weights
            to begin with that are of another network, or none.
    """
    with torch.device("meta"):
        network = config.model.network(clips.views.shapes, len(clips.source.classes))
    if config.loss.contrast > 0 and not network.gives_embeddings:
        raise InputError(
            f"the contrastive loss needs embeddings of joints, and the model {config.model.name} "
            "with these settings gives none; train jmrn with model.contrast=true, or --set "
            "loss.contrast=0"
        )
    if initial is not None:
        initial.fitting(network)
    return network


def _check_fixed(source: ClipSource) -> None:
    """Refuse to train what nothing could be tested by.

    Raises:
        InputError: test views are drawn anew at every call.
    """
    for part in parts_of(source):
        if part.recipe.draws_anew:
            raise InputError(
                f"{part.url}: the recipe {part.recipe.name} with draw=train renders a fresh view "
                "at every call, and tests need fixed ones; say how it is tested by --test-set "
                "draw=test"
            )


def _check_labels(config: TrainConfig, clips: ClipSet) -> None:
    several = sum(len(labels) > 1 for labels in clips.labels)
    if several and not config.loss.multi_label:
        raise InputError(
            f"{several} of {len(clips)} clips have several classes, and cross-entropy takes one; "
            "train with --set loss.of_classes=binary"
        )
