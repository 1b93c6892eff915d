"""Views that a recipe makes itself, through the datasets: pictures and poses, or poses alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from made_clips import MadeSource, made_clips, made_source

from posemill.errors import InputError
from posemill.pipelines.data import Augmentation, TrainDataset, dequantise
from posemill.pipelines.data import dataset as every_dataset
from posemill.pipelines.data.views import create_views, view_specs

SMALL = {
    "rgb-clip": {"length": "2", "short_side": "24", "crop": "16", "canvas_hw": "24,48"},
    "rgbpose": {"length_rgb": "2", "length": "4", "size": "32", "crop": "24"},
    "vpn-crops": {"pictures": "3", "size": "16", "length": "4"},
    "parnet-frames": {"length": "3", "short_side": "24", "crop": "16", "canvas_hw": "24,48"},
    "vpn-pose": {"length": "4"},
    "parnet": {"length": "3", "short_side": "24", "crop": "16"},
}
SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "rgb-clip": {"frames": (2, 16, 16, 3)},
    "rgbpose": {"frames": (2, 24, 24, 3), "volume": (17, 4, 6, 6)},
    "vpn-crops": {"frames": (3, 16, 16, 3), "poses": (3, 17, 4)},
    "parnet-frames": {"frames": (3, 16, 16, 3), "poses": (3, 4, 14, 2)},
    "vpn-pose": {"poses": (3, 17, 4)},
    "parnet": {"poses": (3, 4, 14, 2)},
}
NUM_TEST_VIEWS = {"vpn-crops": 10}


def source_of(recipe: str, draw: str = "cache") -> MadeSource:
    return made_source(recipe, draw=draw, **SMALL[recipe])


def datasets(recipe: str, flip: float) -> TrainDataset:
    source = source_of(recipe)
    views = create_views(source, Augmentation(flip=flip))
    return TrainDataset(source, made_clips(mirrors=(0, 1, 2)), views, seed=3)


@pytest.mark.parametrize("recipe", SMALL)
def test_batches_have_the_shapes_that_a_network_is_built_for(recipe: str) -> None:
    dataset = datasets(recipe, 0.5)
    batch = dataset.__getitems__([(0, 0, 0), (0, 2, 0)])
    views = create_views(source_of(recipe), Augmentation())
    assert views.shapes == SHAPES[recipe]
    assert {name: tuple(array.shape[1:]) for name, array in batch.arrays.items()} == SHAPES[recipe]
    assert sum(array.nbytes for array in batch.arrays.values()) == 2 * dataset.bytes_per_clip
    assert not batch.empty.any()
    values = dequantise(batch.arrays, view_specs(source_of(recipe)), "cpu")
    assert all(array.dtype == torch.float32 for array in values.values())
    if "frames" in values:  # pictures stay what they are, and maps are shares of 1
        assert torch.equal(values["frames"], batch.arrays["frames"].float())
    if "volume" in values:
        torch.testing.assert_close(values["volume"], batch.arrays["volume"].float() / 255)


@pytest.mark.parametrize("recipe", SMALL)
def test_a_view_is_drawn_by_clip_and_epoch(recipe: str) -> None:
    dataset = datasets(recipe, 0.5)
    first, again, later = (dataset.__getitems__([(epoch, 1, 0)]) for epoch in (0, 0, 1))
    assert all(torch.equal(first.arrays[name], again.arrays[name]) for name in first.arrays)
    assert any(not torch.equal(first.arrays[name], later.arrays[name]) for name in first.arrays)


@pytest.mark.parametrize("recipe", SMALL)
@pytest.mark.parametrize("draw", ["test", "cache"])
def test_test_views_are_followed_by_their_mirror_images(recipe: str, draw: str) -> None:
    source = source_of(recipe, draw)
    views, clips = create_views(source, Augmentation()), made_clips(mirrors=(0, 1, 2))
    plain, both = (
        every_dataset.TestDataset(source, clips, views, flip=flip)[0] for flip in (False, True)
    )
    count = NUM_TEST_VIEWS.get(recipe, 1) if draw == "test" else 1
    for name, array in both.arrays.items():
        assert array.shape[1] == 2 * count
        assert torch.equal(array[:, :count], plain.arrays[name])
        assert not torch.equal(array[:, count:], plain.arrays[name])
    if "frames" in both.arrays:
        frames = both.arrays["frames"].numpy()
        np.testing.assert_array_equal(frames[:, count:], frames[:, :count, ..., ::-1, :])


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"beta_px": 2}, "beta_px"),
        ({"gamma_px": 2}, "gamma_px"),
        ({"crop_hw": (8, 8)}, "crop_hw"),
        ({"area": (0.5, 0.6)}, "area"),
        ({"aspect": (1.0, 1.0)}, "aspect"),
    ],
)
def test_what_is_done_to_maps_alone_is_refused(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=rf"by its own settings; leave out augmentation\.{name}"):
        create_views(source_of("rgbpose"), Augmentation(**settings))


def test_views_of_a_contrast_are_refused() -> None:
    views = create_views(source_of("rgbpose"), Augmentation())
    with pytest.raises(ValueError, match="one by one, got 2"):
        views.train({}, np.random.default_rng(0), count=2)


def test_a_clip_without_people_is_empty_where_poses_are_all_there_is() -> None:
    views = create_views(source_of("parnet"), Augmentation())
    arrays = source_of("parnet").read(made_clips(), 0, np.random.default_rng(0))
    assert not views.shows_nothing(arrays)
    nobody = {**arrays, "poses": 0 * arrays["poses"], "score": 0 * arrays["score"]}
    assert nobody["frame_index"].any()
    assert views.shows_nothing(nobody)
