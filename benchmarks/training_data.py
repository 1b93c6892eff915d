"""How fast clips come to training: make bench-training-data.

Made-up clips of one person (pose_clips.py) as a pose store, as features of
volumes (17 joints, 48 frames, 56 x 56 px) and as features of PoTion. Ours are
read and rendered through the loaders of `posemill.pipelines.data`; beside them
what somebody writes who knows zarr-python and torch alone, a Dataset whose
items are rows of the array, and one over an array that is in memory already.
All have two workers, batches of 32, and the process that takes the batches.

Everybody in turn, round after round, so that other work on the machine disturbs
all alike; files in the page cache. A ratio is to the plain zarr-python dataset
of the same arrays in the same round, the median of all rounds. Processor time
is of all three processes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from pose_clips import clip, record
from torch.utils.data import DataLoader, Dataset

from posemill.pipelines.data import (
    Augmentation,
    BatchLoader,
    ClipSampler,
    Loader,
    PlacedDataset,
    RaggedBatch,
    TestDataset,
    TestSampler,
    TrainDataset,
    create_placed_views,
    create_views,
    make_loader,
    open_source,
)
from posemill.pipelines.data.rendered import RenderedSource
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.materialize import MaterializeConfig, materialize
from posemill.schema import Clip, TimedLabel, Video
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.features import FeatureStore
from posemill.storage.poses import PlanTable, PoseStore

WORKERS, BATCH = 2, 32
NUM_CLIPS = 256
"""Of volumes 655 MB, which is more than is held in memory."""
NUM_HELD = 128
CLASSES = ("jump", "nod", "walk", "wave")
VOLUME = ("length=48", "size_hw=56,56")
OF_VOLUMES, OF_POTION = "volume, zarr-python", "PoTion, zarr-python"
_TICKS = os.sysconf("SC_CLK_TCK")


class PlainDataset(Dataset[Any]):
    """Rows of an array and their labels, as torch's own collate takes them."""

    def __init__(self, array: Any, labels: Any, rows: Any) -> None:
        self._array, self._labels, self._rows = array, labels, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        row = int(self._rows[number])
        return torch.from_numpy(self._array[row]), int(self._labels[row])


@dataclass
class Contender:
    """Batches to be taken, and how long that took in each round."""

    batches: Iterable[Any]
    against: str
    """Name of the plain one that it is compared with."""
    wall: list[float] = field(default_factory=list)
    """Samples a second."""
    processor: list[float] = field(default_factory=list)
    """Milliseconds a sample."""

    def take(self) -> None:
        """One pass."""
        began, before = time.perf_counter(), processor_seconds()
        number = sum(map(size_of, self.batches))
        self.wall.append(number / (time.perf_counter() - began))
        self.processor.append((processor_seconds() - before) / number * 1e3)

    def forget(self) -> None:
        """The rounds so far."""
        self.wall.clear()
        self.processor.clear()


def size_of(batch: Any) -> int:
    """Samples of a batch of ours, or of a plain one."""
    return len(batch[1])


def processor_seconds() -> float:
    """Of this process and of its children that are there."""
    children = (child.pid for child in multiprocessing.active_children())
    return time.process_time() + sum(map(_seconds_of, children))


def _seconds_of(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def make_stores(folder: Path) -> None:
    """A pose store and two feature stores of the same clips."""
    rng = np.random.default_rng(0)
    ids = [f"clip{number}" for number in range(NUM_CLIPS)]
    videos = [Video(id_, f"{id_}.mp4", 1, id_) for id_ in ids]
    clips = tuple(
        Clip(id_, id_, labels=(TimedLabel(CLASSES[number % 4]),), splits={"default": "train"})
        for number, id_ in enumerate(ids)
    )
    write_catalog(folder / "catalog", Catalog("made up", str(folder), videos, clips, CLASSES))
    hint = str(folder / "catalog")
    poses = PoseStore.create(folder / "poses", {"skeleton": "coco-17"}, catalog_hint=hint)
    one_shard, cost = np.zeros(NUM_CLIPS, np.int64), np.ones(NUM_CLIPS)
    poses.add_plan(0, PlanTable(0, one_shard, videos, cost))
    poses.write_shard(0, [record(id_, clip(rng, int(rng.integers(150, 301)), 1)) for id_ in ids])
    for recipe, settings in (("volume", ("draw=cache", *VOLUME)), ("potion", ())):
        config = MaterializeConfig(
            folder / "poses", folder / recipe, recipe, settings, engine_options=EngineOptions(1)
        )
        materialize(config, lambda _event: None)


def training_views(place: Path, *recipe: Any, first: int = NUM_CLIPS) -> Loader:
    """Views of the first clips, half of them mirrored, drawn anew in every round."""
    source = open_source(place, *recipe)
    clips = source.select("default", "train").pick(range(first))
    dataset = TrainDataset(source, clips, create_views(source, Augmentation(flip=0.5)), 0)
    return make_loader(dataset, ClipSampler([0] * first, BATCH, 0), WORKERS)


def coordinates(place: Path, *recipe: Any) -> BatchLoader[RaggedBatch]:
    """The same as coordinates, for a device that draws them."""
    source = open_source(place, *recipe)
    if not isinstance(source, RenderedSource):
        raise TypeError(f"expected a pose store, got {place}")
    clips = source.select("default", "train")
    views = create_placed_views(source, Augmentation(flip=0.5))
    sampler = ClipSampler([0] * NUM_CLIPS, BATCH, 0)
    return make_loader(PlacedDataset(source, clips, views, 0), sampler, WORKERS)


def stored_views(place: Path, first: int = NUM_CLIPS) -> Loader:
    """What is stored of the first clips, as it is."""
    source = open_source(place)
    clips = source.select("default", "train").pick(range(first))
    dataset = TestDataset(source, clips, create_views(source, Augmentation(flip=0.0)))
    return make_loader(dataset, TestSampler(first, BATCH), WORKERS)


def plain_rows(folder: Path, name: str, *, in_memory: int = 0) -> Iterable[Any]:
    """Rows of a feature store by zarr-python, or the first ones in memory."""
    group: Any = zarr.open_group(folder, mode="r")
    rows, array = np.flatnonzero(group["valid"][...]), group[name]
    if in_memory:
        rows = np.arange(in_memory)
        array = FeatureStore.open(folder).read(name, rows)
    dataset = PlainDataset(array, group["label"][...], rows)
    return DataLoader(dataset, BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True)


def contenders(folder: Path) -> dict[str, Contender]:
    """All that take part."""
    poses, volume, potion = folder / "poses", folder / "volume", folder / "potion"
    fresh = {"draw": "train", "length": "48", "size_hw": "56,56"}
    volumes = {
        OF_VOLUMES: plain_rows(volume, "volume"),
        "volume, rendered on the fly, flipped": training_views(poses, "volume", fresh),
        "volume, shipped as coordinates": coordinates(poses, "volume", fresh),
        "volume, cached, as it is": stored_views(volume),
        "volume, cached, cropped, flipped": training_views(volume),
        "volume, held in memory, as it is": stored_views(volume, NUM_HELD),
        "volume, plain array in memory": plain_rows(volume, "volume", in_memory=NUM_HELD),
    }
    potions = {
        OF_POTION: plain_rows(potion, "u"),
        "PoTion, rendered on the fly, flipped": training_views(poses, "potion"),
        "PoTion, held in memory, flipped": training_views(potion),
        "PoTion, plain array in memory": plain_rows(potion, "u", in_memory=NUM_CLIPS),
    }
    return {
        name: Contender(batches, against)
        for against, group in ((OF_VOLUMES, volumes), (OF_POTION, potions))
        for name, batches in group.items()
    }


def show(found: dict[str, Contender]) -> None:
    """A line for each."""
    print(f"\n{'':38s} samples/s   ratio   ms of processor a sample   ratio")
    for name, one in found.items():
        other = found[one.against]
        faster = np.median(np.divide(one.wall, other.wall))
        cheaper = np.median(np.divide(other.processor, one.processor))
        print(
            f"{name:38s} {np.median(one.wall):9.0f} {faster:7.2f}   "
            f"{np.median(one.processor):24.3f} {cheaper:7.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        make_stores(Path(folder))
        found = contenders(Path(folder))
        for one in found.values():
            one.take()  # workers start, files are read, loops compiled
            one.forget()
        for one in (each for _ in range(rounds) for each in found.values()):
            one.take()
        print(f"load {os.getloadavg()[0]:.1f} at the end")
        show(found)


if __name__ == "__main__":
    main()
