"""Batches of views: what a seed draws, what classes they are of, what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import made_clips, made_source
from potion_stores import HEIGHT, make_potion_store

from posemill.errors import InputError
from posemill.models.potion_cnn import potion_planes
from posemill.pipelines.data import dataset as datasets
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.batches import dequantise
from posemill.pipelines.data.dataset import TrainDataset
from posemill.pipelines.data.source_base import ClipSource
from posemill.pipelines.data.sources import open_source
from posemill.pipelines.data.views import create_views
from posemill.transforms.potion import derive_potion
from posemill.transforms.skeletons import COCO_17

SEEDED = Augmentation(flip=0.5, beta_px=2, gamma_px=1, crop_hw=(14, 18))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ClipSource:
    path = tmp_path_factory.mktemp("features") / "f.zarr"
    make_potion_store(path)
    return open_source(path)


def train(source: ClipSource, augmentation: Augmentation, seed: int = 0) -> TrainDataset:
    clips = source.select("default", "train")
    return TrainDataset(source, clips, create_views(source, augmentation), seed)


def of_tests(source: ClipSource, **options: bool) -> datasets.TestDataset:
    clips = source.select("default", "test")
    return datasets.TestDataset(source, clips, create_views(source, Augmentation()), **options)


def u(views: TrainDataset, number: int, epoch: int = 0, view: int = 0) -> np.ndarray:
    found: np.ndarray = views[epoch, number, view].arrays["u"][0].numpy()
    return found


def test_test_views_are_the_stored_maps_in_row_order(source: ClipSource) -> None:
    views = of_tests(source)
    batch = views.__getitems__(range(9))
    stored = [source.read(views.clips, n, np.random.default_rng(0))["u"] for n in range(9)]
    np.testing.assert_array_equal(batch.arrays["u"][:, 0], np.stack(stored))
    assert batch.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert batch.number.tolist() == list(range(9))
    assert views.clips.clip_ids[3] == "test/wave_right/0"


def test_a_flip_swaps_joints_columns_and_classes(source: ClipSource) -> None:
    mirrored = train(source, Augmentation(flip=1.0)).__getitems__([(0, n, 0) for n in range(24)])
    plain = train(source, Augmentation(flip=0.0)).__getitems__([(0, n, 0) for n in range(24)])
    expected = plain.arrays["u"].flip(-1)[:, list(COCO_17.mirror)]
    assert torch.equal(mirrored.arrays["u"], expected)
    # wave_left and wave_right change places; nod is its own mirror image.
    assert mirrored.labels.tolist() == [1] * 8 + [0] * 8 + [2] * 8
    assert plain.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8


def test_half_of_all_views_are_flipped(source: ClipSource) -> None:
    views = train(source, Augmentation(flip=0.5))
    labels = views.__getitems__([(epoch, 0, 0) for epoch in range(200)]).labels
    # Binomial(200, 1/2): 100 +- 7; five standard deviations.
    assert 65 <= labels.sum() <= 135


def test_random_crops_lie_anywhere_on_the_maps(source: ClipSource) -> None:
    cropped = train(source, Augmentation(flip=0.0, crop_hw=(14, 18)))
    whole = u(train(source, Augmentation(flip=0.0)), 20)
    found = set()
    for epoch in range(40):
        view = u(cropped, 20, epoch)
        at = [
            (top, left)
            for top in range(3)
            for left in range(3)
            if np.array_equal(view, whole[..., top : top + 14, left : left + 18])
        ]
        assert len(at) == 1
        found.add(at[0])
    assert len(found) == 9  # every place is drawn in 40 epochs


def test_padding_is_neither_shifted_in_nor_flipped_around(tmp_path: Path) -> None:
    make_potion_store(tmp_path / "f.zarr", valid_hw=(HEIGHT, 18))
    narrow = open_source(tmp_path / "f.zarr")
    whole = u(train(narrow, Augmentation(flip=0.0)), 16)
    flipped = u(train(narrow, Augmentation(flip=1.0)), 16)
    np.testing.assert_array_equal(flipped[..., :18], whole[list(COCO_17.mirror)][..., 17::-1])
    assert not flipped[..., 18:].any()
    jittered = train(narrow, Augmentation(flip=1.0, beta_px=3, gamma_px=2))
    assert not any(u(jittered, number)[..., 18:].any() for number in range(24))


def test_draws_depend_on_seed_clip_epoch_and_view_alone(source: ClipSource) -> None:
    views = train(source, SEEDED, seed=1)
    np.random.seed(0)  # noqa: NPY002 (the global generator must not matter)
    keys = [(2, number, 0) for number in range(24)]
    forwards = views.__getitems__(keys).arrays["u"]
    backwards = views.__getitems__(keys[::-1]).arrays["u"]
    assert torch.equal(forwards, backwards.flip(0))
    others = (u(views, 0, 3), u(views, 0, 2, 1), u(train(source, SEEDED, seed=2), 0, 2))
    assert all(not np.array_equal(u(views, 0, 2), other) for other in others)


def test_views_of_a_contrast_share_crop_and_flip(source: ClipSource) -> None:
    clips = source.select("default", "train")
    keys = [(0, number, 0) for number in range(24)]

    def drawn(augmentation: Augmentation, count: int) -> torch.Tensor:
        views = create_views(source, augmentation)
        batch = TrainDataset(source, clips, views, 0, views_per_clip=count).__getitems__(keys)
        assert batch.arrays["maximum"].shape == (24, *((count,) if count > 1 else ()), 17, 3)
        return batch.arrays["u"]

    still = drawn(Augmentation(flip=0.5, crop_hw=(14, 18)), 2)
    assert still.shape == (24, 2, 17, 3, 14, 18)
    assert torch.equal(still[:, 0], still[:, 1])
    jittered = drawn(SEEDED, 2)
    assert all(not torch.equal(first, second) for first, second in jittered)


def test_several_classes_are_ones_in_a_row() -> None:
    made = made_source("potion", canvas_hw="12,16")
    clips = made_clips(((0, 2), (1,)))
    views = create_views(made, Augmentation(flip=0.0))
    batch = TrainDataset(made, clips, views, 0, multi_label=True).__getitems__(
        [(0, n, 0) for n in (0, 1)]
    )
    assert batch.labels.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert batch.labels.dtype == torch.float32
    only = datasets.TestDataset(made, clips, views, multi_label=True)[0]
    assert only.labels.tolist() == [[1, 0, 1]]


def test_empty_and_unavailable_clips_are_told_apart(tmp_path: Path) -> None:
    make_potion_store(
        tmp_path / "f.zarr",
        empty=frozenset({"test/nod/1"}),
        unavailable=frozenset({"test/nod/2", "test/wave_left/0"}),
    )
    views = of_tests(open_source(tmp_path / "f.zarr"))
    assert len(views) == 7
    assert views.clips.num_unavailable == 2
    batch = views.__getitems__(range(7))
    assert [views.clips.clip_ids[n] for n in range(7) if batch.empty[n]] == ["test/nod/1"]


def test_what_cannot_be_trained_or_tested_is_refused(source: ClipSource, tmp_path: Path) -> None:
    make_potion_store(tmp_path / "f.zarr", mirrors=(1, -1, -1))
    partly = open_source(tmp_path / "f.zarr")
    with pytest.raises(InputError, match=r"classes wave_right into .* mirror_labels\.json"):
        train(partly, Augmentation())
    train(partly, Augmentation(flip=0.0))
    one_class = source.select("default", "train").pick(range(16, 24))
    with pytest.raises(InputError, match=r"f\.zarr: all 8 clips to train on are of the class nod"):
        TrainDataset(source, one_class, create_views(source, Augmentation()), 0)
    with pytest.raises(InputError, match="drawn already"):
        train(source, Augmentation(drop_joint=0.5))
    with pytest.raises(InputError, match="of the classes wave_left, wave_right are of other"):
        of_tests(source, flip=True)
    fresh = made_source("volume", draw="train")
    with pytest.raises(InputError, match=r"volume with draw=train renders a fresh view .*; set"):
        datasets.TestDataset(fresh, made_clips(), create_views(fresh, Augmentation()))
    features = made_source("tempposeconv-f")
    views = create_views(features, Augmentation(flip=0.0))
    with pytest.raises(InputError, match=r"features of .* cannot be mirrored; test without"):
        datasets.TestDataset(features, made_clips(), views, flip=True)


def test_device_planes_equal_the_transform(source: ClipSource) -> None:
    batch = of_tests(source)[0]
    values = dequantise(batch.arrays, source.specs, "cpu")["u"][:, 0]
    np.testing.assert_allclose(
        potion_planes(values)[0].numpy(), derive_potion(values[0].numpy()), rtol=1e-6
    )
