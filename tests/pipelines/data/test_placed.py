"""Views as coordinates: drawn, they are the views of rendered maps of the same draws."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_clips import made_source

from posemill.errors import InputError
from posemill.models.rasterize import collate_placed, draw_module
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.dataset import TrainDataset
from posemill.pipelines.data.loader import make_loader
from posemill.pipelines.data.placed import PlacedDataset, PlacedViews, create_placed_views
from posemill.pipelines.data.rendered import RenderedSource
from posemill.pipelines.data.sampler import ClipSampler
from posemill.pipelines.data.sources import open_source
from posemill.pipelines.data.view_base import MapViews
from posemill.pipelines.data.views import create_views
from posemill.schema import Skeleton
from posemill.transforms.recipes.people import GaussianRecipe
from posemill.transforms.sample import Sample

CANVAS = {"canvas_hw": "48,72"}  # shows 64 x 48 px in 64 columns, so that 8 are padding
CROP = {"crop_hw": (44, 50)}
# Around the people there is room for an eighth of their extent: 4.8 px of 48.
VOLUME = {"length": "4", "size_hw": "48,48", "draw": "train", "area": "1,1", "aspect": "1,1"}
CASES: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("potion", CANVAS, CROP),
    ("jmrn", CANVAS, CROP),
    ("tempposeconv-j", CANVAS | {"length": "3", "draw": "train"}, CROP),
    ("tempposeconv-jdiff", CANVAS | {"length": "3", "draw": "train"}, {}),
    ("volume", VOLUME, {}),
    ("limb-volume", VOLUME, {}),
]
IDS = [name for name, _, _ in CASES]
VIDEOS = {"canvas_hw": "24,32"}


def far_from_borders(sample: Sample) -> Sample:
    """The people half as large, around the middle of the frame: no border cuts anything off."""
    pose = sample.pose
    middle = np.array([pose.width, pose.height], np.float32) / 2
    xy_px = np.clip(pose.xy_px, 0, 2 * middle)
    return replace(sample, pose=replace(pose, xy_px=middle + (xy_px - middle) * 0.4))


def draw(views: PlacedViews, skeleton: Skeleton, placed: list) -> dict[str, np.ndarray]:
    drawn = draw_module(views.recipe, skeleton)(collate_placed(placed))
    return {name: array.numpy() for name, array in drawn.items()}


@pytest.mark.parametrize(("recipe", "settings", "crop"), CASES, ids=IDS)
def test_drawn_views_equal_views_of_maps(
    recipe: str, settings: dict[str, str], crop: dict[str, Any]
) -> None:
    made = made_source(recipe, **settings)
    sample, skeleton = far_from_borders(made.sample), made.skeleton
    jitter = {"beta_px": 1, "gamma_px": 0 if recipe == "limb-volume" else 1}
    augmentation = Augmentation(flip=0.5, **jitter, **crop)
    of_maps = create_views(made, augmentation)
    assert isinstance(of_maps, MapViews)
    rendering = made.recipe
    assert isinstance(rendering, GaussianRecipe)
    of_joints = PlacedViews(
        rendering,
        augmentation,
        skeleton.mirror,
        of_maps.groups,
        {of_maps.maps.name: of_maps.shapes[of_maps.maps.name]},
    )
    flips = set()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        # The maps of the whole canvas in float32, as rounding to steps would hide what is alike.
        canvas = rendering.place(sample, rng)
        arrays: dict[str, Any] = draw(of_joints, skeleton, [canvas])
        # Of volumes the first dimension counts views, which are one; of others clips.
        maps = arrays[of_maps.maps.name]
        arrays = {of_maps.maps.name: maps if "volume" in recipe else maps[0]}
        arrays |= {"valid_hw": np.array(canvas.valid_hw), "num_frames": np.array(30)}
        arrays["maximum"] = np.ones((17, 3), np.float32)
        expected, flipped = of_maps.train(arrays, rng, count=2)
        views, also = of_joints.train(sample, np.random.default_rng(seed), count=2)
        found = draw(of_joints, skeleton, views)[of_maps.maps.name]
        assert flipped == also
        flips.add(flipped)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.shape == of_joints.shapes[of_maps.maps.name]
            np.testing.assert_allclose(ours, theirs[of_maps.maps.name], atol=1e-5)
        assert found.any()
    assert flips == {True, False}


@pytest.fixture
def source(poses: Path) -> RenderedSource:
    found = open_source(poses, "jmrn", VIDEOS)
    assert isinstance(found, RenderedSource)
    return found


def test_batches_have_the_labels_and_views_of_rendered_ones(source: RenderedSource) -> None:
    clips, augmentation = source.select("default", "train"), Augmentation(flip=0.5, gamma_px=1)
    rendered = TrainDataset(source, clips, create_views(source, augmentation), 3)
    shipped = PlacedDataset(source, clips, create_placed_views(source, augmentation), 3)
    keys = [(epoch, number, 0) for epoch in range(2) for number in range(6)]
    ours, theirs = shipped.__getitems__(keys), rendered.__getitems__(keys)
    for part, other in zip(ours[1:], theirs[1:], strict=True):
        assert torch.equal(part, other)
    drawn = draw_module(source.recipe, source.skeleton)(ours.placed)["p"]
    assert drawn.shape == theirs.arrays["p"].shape
    # Where a border cuts something off they differ; most of it is far from any.
    close = (drawn - theirs.arrays["p"].float()).abs() < 2e-3
    assert close.float().mean() > 0.99
    assert ours.placed.num_bytes < theirs.arrays["p"].nbytes


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_ships_coordinates(source: RenderedSource, workers: int) -> None:
    clips = source.select("default", "train")
    views = create_placed_views(source, Augmentation())
    dataset = PlacedDataset(source, clips, views, 0, views_per_clip=2, multi_label=True)
    sampler = ClipSampler([0] * 6, 4, 0)
    batches = list(make_loader(dataset, sampler, workers))
    for batch, keys in zip(batches, sampler, strict=True):
        expected = dataset.__getitems__(keys)
        assert batch.placed.num_clips == 8
        assert torch.equal(batch.placed.xy_px, expected.placed.xy_px)
        assert torch.equal(batch.placed.frame_ptr, expected.placed.frame_ptr)
        assert batch.labels.shape == (4, len(source.classes))
        assert torch.equal(batch.number, expected.number)
        assert not batch.empty.any()


def test_what_cannot_be_drawn_on_the_device_is_refused(poses: Path) -> None:
    for recipe, settings, message in (
        ("tempposeconv-p", {"draw": "train"}, "tempposeconv-p with .* are not drawn on the device"),
        ("tempposeconv-j", {}, "draws one fresh view of a clip; set draw=train"),
        ("volume", {"draw": "cache"}, "draws one fresh view of a clip; set draw=train"),
        ("volume", {"draw": "train", "views": "2"}, "and views=1 where the recipe has that"),
        ("jmrn", {"people": "each"}, "expected joints or limbs of people=all and source=triplets"),
    ):
        with pytest.raises(InputError, match=message):
            create_placed_views(open_source(poses, recipe, settings), Augmentation())
    made = made_source("potion")
    with pytest.raises(InputError, match=r"made\.zarr holds maps that are drawn already; give"):
        create_placed_views(made, Augmentation())
