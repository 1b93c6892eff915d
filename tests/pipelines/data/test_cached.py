"""Clips of a feature store: what is held in memory, and what goes into a pickle."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from potion_stores import HEIGHT, WIDTH, make_potion_store

from posemill.errors import InputError
from posemill.pipelines.data import cached
from posemill.pipelines.data.cached import CachedSource, stored_recipe
from posemill.storage.features import FeatureStore

BYTES = 17 * 3 * HEIGHT * WIDTH + 4 * (17 * 3 + 1 + 2)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return make_potion_store(tmp_path / "f.zarr")


def test_few_clips_are_held_and_many_are_read_one_by_one(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = CachedSource(store)
    clips = source.select("default", "train")
    monkeypatch.setattr(cached, "HELD_BYTES", 24 * BYTES)
    held = source.holding(clips)
    monkeypatch.setattr(cached, "HELD_BYTES", 24 * BYTES - 1)
    read = source.holding(clips)
    reads = []
    original = FeatureStore.read
    monkeypatch.setattr(
        FeatureStore, "read", lambda self, *key: reads.append(key) or original(self, *key)
    )
    rng = np.random.default_rng(0)
    for number in (0, 7, 23):
        ours, theirs = held.read(clips, number, rng), read.read(clips, number, rng)
        for name, array in ours.items():
            np.testing.assert_array_equal(array, theirs[name])
    names = [spec.name for spec in store.specs]
    assert [name for name, _ in reads] == names * 3  # by `read` alone


def test_a_pickle_takes_no_maps_along(store: FeatureStore) -> None:
    source = CachedSource(store)
    clips = source.select("default", "train")
    held = source.holding(clips)
    copied = pickle.loads(pickle.dumps(held))  # noqa: S301 (our own bytes)
    assert len(pickle.dumps(held)) < 10_000
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(copied.read(clips, 7, rng)["u"], held.read(clips, 7, rng)["u"])


def test_other_clips_of_a_holding_source_are_read(store: FeatureStore) -> None:
    source = CachedSource(store)
    held, others = source.select("default", "train"), source.select("default", "test")
    found = source.holding(held).read(others, 4, np.random.default_rng(0))
    number = np.flatnonzero(store.subset("default", "test"))[4]
    np.testing.assert_array_equal(found["u"], store.read("u", int(number)))


def test_settings_that_the_recipe_has_not_are_refused(store: FeatureStore) -> None:
    store.configuration["recipe"]["settings"]["colour"] = "red"
    with pytest.raises(InputError, match="by another version of the recipe potion, whose setting"):
        stored_recipe(store)
