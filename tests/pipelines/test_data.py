"""Views of stored maps: what a seed draws, what a flip swaps, what is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from potion_stores import CLASSES, HEIGHT, LEFT_WRIST, RIGHT_WRIST, WIDTH, make_potion_store
from torch.utils.data import DataLoader

from posemill.errors import InputError
from posemill.models.potion_cnn import potion_planes
from posemill.pipelines.data import (
    Augmentation,
    EpochSampler,
    MapDataset,
    names_a_side,
    select_clips,
)
from posemill.pipelines.data import maps as data
from posemill.storage.features import FeatureStore
from posemill.transforms.potion import derive_potion
from posemill.transforms.skeletons import COCO_17

ALWAYS_FLIP = Augmentation(flip=1.0)
NO_FLIP = Augmentation(flip=0.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return make_potion_store(tmp_path_factory.mktemp("features") / "f.zarr")


def dataset(
    store: FeatureStore,
    augmentation: Augmentation | None = None,
    crop_hw: tuple[int, int] | None = None,
    subset: str = "train",
    seed: int = 0,
) -> MapDataset:
    clips = select_clips(store, "default", subset)
    return MapDataset(store, "u", clips, crop_hw, augmentation, seed)


def drawn(views: MapDataset, index: int, epoch: int = 0) -> np.ndarray:
    found: np.ndarray = views[epoch, index].maps.numpy()
    return found


def test_test_views_are_the_stored_maps_in_row_order(store: FeatureStore) -> None:
    views = dataset(store, subset="test")
    rows = np.flatnonzero(store.subset("default", "test"))
    assert len(views) == len(rows) == 9
    np.testing.assert_array_equal(
        np.stack([views[index].maps for index in range(9)]), store.read("u", rows)
    )
    assert [views[index].label for index in range(9)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert views.clips.clip_ids[3] == "test/wave_right/0"


def test_centre_crops_take_the_middle(store: FeatureStore) -> None:
    view = drawn(dataset(store, crop_hw=(10, 12)), 5)
    whole = drawn(dataset(store), 5)
    # (16 - 10) / 2 = 3 rows above, (20 - 12) / 2 = 4 columns to the left.
    np.testing.assert_array_equal(view, whole[..., 3:13, 4:16])


def test_a_flip_swaps_joints_columns_and_classes(store: FeatureStore) -> None:
    views, whole = dataset(store, ALWAYS_FLIP), dataset(store)
    flipped = drawn(views, 0)
    np.testing.assert_array_equal(flipped[LEFT_WRIST], drawn(whole, 0)[RIGHT_WRIST][..., ::-1])
    np.testing.assert_array_equal(flipped, drawn(whole, 0)[list(COCO_17.mirror)][..., ::-1])
    labels = [views[index].label for index in range(len(views))]
    # wave_left and wave_right change places; nod is its own mirror image.
    assert labels == [1] * 8 + [0] * 8 + [2] * 8
    assert [dataset(store, NO_FLIP)[index].label for index in (0, 8, 16)] == [0, 1, 2]


def test_half_of_all_views_are_flipped(store: FeatureStore) -> None:
    views = dataset(store, Augmentation(flip=0.5))
    labels = [views[epoch, 0].label for epoch in range(200)]
    # Binomial(200, 1/2): 100 +- 7; five standard deviations.
    assert 65 <= sum(labels) <= 135


def test_classes_without_a_side_keep_their_label_without_a_declared_mirror(tmp_path: Path) -> None:
    plain = make_potion_store(
        tmp_path / "f.zarr", classes=("wave", "jump", "nod"), mirrors=(-1, -1, -1)
    )
    views = dataset(plain, ALWAYS_FLIP)
    assert [views[index].label for index in (0, 8, 16)] == [0, 1, 2]


def test_flipping_sided_classes_without_a_declared_mirror_is_refused(tmp_path: Path) -> None:
    partly = make_potion_store(tmp_path / "f.zarr", mirrors=(1, -1, -1))
    with pytest.raises(InputError, match=r"classes wave_right into .* mirror_labels\.json"):
        dataset(partly, ALWAYS_FLIP)
    assert dataset(partly, NO_FLIP)[8].label == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wave_left", True),
        ("Right Turn", True),
        ("turnRight", True),
        ("left2", True),
        ("leftover", False),
        ("bright_light", False),
        ("copyright", False),
    ],
)
def test_sides_are_whole_words(name: str, expected: bool) -> None:
    assert names_a_side(name) is expected


def test_padding_is_neither_shifted_in_nor_flipped_around(tmp_path: Path) -> None:
    narrow = make_potion_store(tmp_path / "f.zarr", valid_hw=(HEIGHT, 18))
    flipped, whole = drawn(dataset(narrow, ALWAYS_FLIP), 16), drawn(dataset(narrow), 16)
    order = list(COCO_17.mirror)
    np.testing.assert_array_equal(flipped[..., :18], whole[order][..., 17::-1])
    assert not flipped[..., 18:].any()
    jittered = dataset(narrow, Augmentation(flip=1.0, beta_px=3, gamma_px=2))
    assert not any(drawn(jittered, index)[..., 18:].any() for index in range(24))


def test_random_crops_and_jitter_stay_within_their_bounds(store: FeatureStore) -> None:
    cropped = dataset(store, NO_FLIP, crop_hw=(14, 18))
    whole = drawn(dataset(store), 20)
    found = set()
    for epoch in range(40):
        view = drawn(cropped, 20, epoch)
        at = [
            (top, left)
            for top in range(3)
            for left in range(3)
            if np.array_equal(view, whole[..., top : top + 14, left : left + 18])
        ]
        assert len(at) == 1
        found.add(at[0])
    assert len(found) == 9  # every place is drawn in 40 epochs
    jittered = drawn(dataset(store, Augmentation(flip=0.0, beta_px=1)), 20)
    shifts = [
        (dy, dx)
        for dy in (-1, 1)
        for dx in (-1, 1)
        if np.array_equal(
            jittered[..., 1:-1, 1:-1], np.roll(whole, (dy, dx), (-2, -1))[..., 1:-1, 1:-1]
        )
    ]
    assert len(shifts) == 1


def test_draws_depend_on_seed_clip_and_epoch_alone(store: FeatureStore) -> None:
    augmentation = Augmentation(flip=0.5, beta_px=2, gamma_px=1)
    views = dataset(store, augmentation, crop_hw=(14, 18), seed=1)
    np.random.seed(0)  # noqa: NPY002 (the global generator must not matter)
    forwards = [drawn(views, index, 2) for index in range(24)]
    backwards = [drawn(views, index, 2) for index in reversed(range(24))]
    np.testing.assert_array_equal(np.stack(forwards), np.stack(backwards[::-1]))
    assert not np.array_equal(drawn(views, 0, 2), drawn(views, 0, 3))
    other = dataset(store, augmentation, crop_hw=(14, 18), seed=2)
    assert any(not np.array_equal(drawn(views, index), drawn(other, index)) for index in range(24))


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_give_what_one_process_gives(store: FeatureStore, context: str) -> None:
    views = dataset(store, Augmentation(flip=0.5, beta_px=1), seed=5)
    sampler = EpochSampler(len(views), seed=5)
    sampler.epoch = 3
    here = list(DataLoader(views, 6, sampler=sampler))
    there = list(
        DataLoader(views, 6, sampler=sampler, num_workers=1, multiprocessing_context=context)
    )
    for ours, theirs in zip(here, there, strict=True):
        assert torch.equal(ours.maps, theirs.maps)
        assert ours.maps.dtype == torch.uint8
        assert torch.equal(ours.label, theirs.label)
        assert torch.equal(ours.number, theirs.number)


def test_large_subsets_are_read_clip_by_clip(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = dataset(store)
    monkeypatch.setattr(data, "PRELOAD_BYTES", 24 * 17 * 3 * HEIGHT * WIDTH - 1)
    read = dataset(store)
    reads = []
    original = FeatureStore.read
    monkeypatch.setattr(
        FeatureStore, "read", lambda self, *key: reads.append(key) or original(self, *key)
    )
    for index in (0, 7, 23):
        assert torch.equal(held[index].maps, read[index].maps)
    assert [name for name, _ in reads] == ["u"] * 3  # by `read` alone
    copied = pickle.loads(pickle.dumps(held))  # noqa: S301 (our own bytes)
    assert len(pickle.dumps(held)) < 10_000  # the maps stay at home
    assert torch.equal(copied[7].maps, held[7].maps)


def test_every_epoch_sees_every_clip_once_in_another_order() -> None:
    sampler = EpochSampler(50, seed=1)
    first = list(sampler)
    sampler.epoch = 1
    second = list(sampler)
    assert {epoch for epoch, _ in first} == {0}
    assert {epoch for epoch, _ in second} == {1}
    assert sorted(index for _, index in first) == sorted(index for _, index in second)
    assert [index for _, index in first] != [index for _, index in second]
    assert len(sampler) == 50


def test_empty_and_unavailable_clips_are_told_apart(tmp_path: Path) -> None:
    holey = make_potion_store(
        tmp_path / "f.zarr",
        empty=frozenset({"test/nod/1"}),
        unavailable=frozenset({"test/nod/2", "test/wave_left/0"}),
    )
    views = dataset(holey, subset="test")
    assert len(views) == 7
    assert views.clips.num_unavailable == 2
    assert [views.clips.clip_ids[i] for i in range(7) if views[i].empty] == ["test/nod/1"]


def test_subsets_without_labels_or_features_are_refused(tmp_path: Path) -> None:
    everything = frozenset(f"train/{name}/0" for name in CLASSES)
    bare = make_potion_store(tmp_path / "f.zarr", per_class={"train": 1}, unavailable=everything)
    with pytest.raises(InputError, match="none of the 3 labelled clips of default/train has feat"):
        select_clips(bare, "default", "train")
    whole = make_potion_store(tmp_path / "g.zarr")
    with pytest.raises(InputError, match=r"maps 'volume'.*it holds: u \(17, 3, 16, 20\) uint8"):
        MapDataset(whole, "volume", select_clips(whole, "default", "train"))


def test_device_planes_equal_the_transform(store: FeatureStore) -> None:
    u = dataset(store)[0].maps.float() / 255.0
    np.testing.assert_allclose(
        potion_planes(u[None])[0].numpy(), derive_potion(u.numpy()), rtol=1e-6
    )
