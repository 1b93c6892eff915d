"""Batches through workers: equal however they are made, from any step on, with plain faults."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from potion_stores import make_potion_store

from posemill.errors import StoreCorrupted
from posemill.pipelines.data import cached
from posemill.pipelines.data import dataset as datasets
from posemill.pipelines.data import sampler as samplers
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.batches import Batch
from posemill.pipelines.data.dataset import TrainDataset
from posemill.pipelines.data.loader import make_loader
from posemill.pipelines.data.sampler import ClipSampler
from posemill.pipelines.data.sources import open_source
from posemill.pipelines.data.views import create_views

JITTERED = Augmentation(flip=0.5, beta_px=1, gamma_px=1, crop_hw=(14, 18))


def made(path: Path) -> tuple[TrainDataset, ClipSampler]:
    """Of the store that is there, 24 clips in steps of 5."""
    source = open_source(path)
    clips = source.select("default", "train")
    dataset = TrainDataset(source, clips, create_views(source, JITTERED), 5)
    return dataset, ClipSampler([labels[0] for labels in clips.labels], 5, 5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("features") / "f.zarr"
    make_potion_store(path)
    return path


def assert_equal(ours: list[Batch], theirs: list[Batch]) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.arrays.keys() == other.arrays.keys()
        for name, array in one.arrays.items():
            assert array.dtype == other.arrays[name].dtype
            assert torch.equal(array, other.arrays[name])
        for ours_, theirs_ in zip(one[1:], other[1:], strict=True):
            assert torch.equal(ours_, theirs_)


def test_forked_workers_give_what_one_process_gives_epoch_after_epoch(store: Path) -> None:
    dataset, sampler = made(store)
    here, loader = make_loader(dataset, sampler), make_loader(dataset, sampler, 2)
    for epoch in range(2):
        sampler.go_to(epoch, 0)
        there = list(loader)  # by the same workers in both epochs
        assert_equal(list(here), there)
        assert there[0].arrays["u"].dtype == torch.uint8
        assert not there[0].arrays["u"].is_shared()  # its own, whatever is written later


def test_spawned_workers_render_what_one_process_renders(poses: Path) -> None:
    source = open_source(poses, "potion", {"canvas_hw": "12,16"})
    clips = source.select("default", "train")
    views = create_views(source, Augmentation(beta_px=1))
    dataset = TrainDataset(source, clips, views, 0)
    sampler = ClipSampler([0] * 6, 2, 0)
    expected = list(make_loader(dataset, sampler))
    assert_equal(expected, list(make_loader(dataset, sampler, 1, start_method="spawn")))
    assert expected[0].arrays["u"].any()


@pytest.mark.parametrize("done", [1, 4])
def test_a_loader_resumes_in_mid_epoch_though_it_fetched_ahead(store: Path, done: int) -> None:
    dataset, sampler = made(store)
    whole = list(make_loader(dataset, sampler))
    interrupted = make_loader(dataset, sampler, 2, prefetch=2)
    seen = []
    for batch in interrupted:
        seen.append(batch)
        if len(seen) == done:
            break
    sampler.go_to(0, done)
    again, resumed = made(store)
    resumed.go_to(0, done)
    assert_equal(seen + list(make_loader(again, resumed, 1)), whole)
    # The interrupted loader itself goes on from there, too.
    assert_equal(list(interrupted), whole[done:])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_row_is_told_of_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    make_potion_store(tmp_path / "f.zarr")
    dataset, sampler = made(tmp_path / "f.zarr")
    monkeypatch.setattr(cached, "HELD_BYTES", 0)  # else it is met before there are workers
    (shard,) = (path for path in (tmp_path / "f.zarr/u/c").rglob("0") if path.is_file())
    damaged = bytearray(shard.read_bytes())
    damaged[20:2000] = bytes(1980)
    shard.write_bytes(bytes(damaged))
    with pytest.raises(StoreCorrupted, match="a row cannot be decompressed") as caught:
        list(make_loader(dataset, sampler, workers))
    assert "Traceback" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("then materialize again.")


def test_a_notebooks_code_may_start_workers_by_spawn(store: Path) -> None:
    code = f"""
from posemill.pipelines.data import *
source = open_source({str(store)!r})
clips = source.select("default", "train")
dataset = TrainDataset(source, clips, create_views(source, Augmentation()), 0)
loader = make_loader(dataset, ClipSampler([0] * 24, 12, 0), 1, start_method="spawn")
print([tuple(batch.arrays["u"].shape) for batch in loader])
"""
    done = subprocess.run(
        [sys.executable, "-"], input=code, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "[(12, 17, 3, 16, 20), (12, 17, 3, 16, 20)]\n", done.stderr


def test_loading_draws_nothing_from_the_generator_of_dropout(store: Path) -> None:
    dataset, sampler = made(store)
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    list(make_loader(dataset, sampler))
    assert torch.equal(torch.rand(4), expected)


def test_tests_come_in_order_with_all_views(store: Path) -> None:
    source = open_source(store)
    clips = source.select("default", "test")
    views = create_views(source, Augmentation(flip=0.0))
    dataset = datasets.TestDataset(source, clips, views)
    loader = make_loader(dataset, samplers.TestSampler(len(dataset), 4))
    assert len(loader) == 3
    batches = list(loader)
    assert [batch.arrays["u"].shape for batch in batches] == [
        (size, 1, 17, 3, 16, 20) for size in (4, 4, 1)
    ]
    assert [n for batch in batches for n in batch.number.tolist()] == list(range(9))
