"""Frames of several videos in one batch: nobody suffers from his neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chain import all_poses, assert_equal_poses, ignore, index, markers
from poison import ESTIMATOR_FAULTS, plant, write_video

from posemill.errors import EnvironmentFault, InputError
from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.decode import DecodeSettings
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.pipelines.extract import ExtractConfig, extract
from posemill.pipelines.supervise import Limits
from posemill.storage.poses import PoseStore

GOOD = {"a": 128, "c": 112, "n": 128, "z": 96}
WIDTHS = {fault: width for width, fault in ESTIMATOR_FAULTS.items()}


@pytest.fixture(autouse=True)
def _plugin(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(plant(tmp_path_factory.mktemp("plugin"), "poison_batches"))


def film(root: Path, *poison: str) -> Path:
    """Good videos, of three widths, and poison ones such as `estimator_crash`; their catalog."""
    root.mkdir()
    for name, width in GOOD.items():
        write_video(root / f"{name}.mp4", width)
    for name in poison:
        where, _, fault = name.partition("_")
        write_video(root / f"{name}.mp4", WIDTHS[fault] if where == "estimator" else 128)
    return index(root, root.parent / f"{root.name}.catalog")


def config(catalog: Path, out: Path, decoders: int = 3, **parameters: object) -> ExtractConfig:
    """One worker, whose batches mix the videos of its one shard."""
    return ExtractConfig(
        catalog,
        out,
        "poison_batches",
        EstimatorOptions(parameters=parameters),
        engine_options=EngineOptions(workers=1),
        limits=Limits(silence_seconds=4.0, memory_bytes=2**30),
        videos_per_shard=16,
        decoding=DecodeSettings(decoders),
    )


def batches(log: Path) -> Iterator[list[int]]:
    """The widths of the frames of each batch."""
    for line in log.read_text().splitlines():
        yield [int(width) for width in line.split()]


def test_poison_in_a_batch_with_good_videos_is_all_that_is_quarantined(tmp_path: Path) -> None:
    poison = {
        "estimator_crash": "crashed",
        "estimator_hang": "timeout",
        "estimator_exception": "failed",
        "decoder_crash": "crashed",
    }
    log = tmp_path / "log"
    mixed = film(tmp_path / "mixed", *poison)
    extract(config(mixed, tmp_path / "mixed.zarr", log=log, warming=0.3), ignore)
    extract(config(film(tmp_path / "good"), tmp_path / "good.zarr"), ignore)
    found = PoseStore.open(tmp_path / "mixed.zarr").entries()
    assert {name: found[name].reason for name in poison} == poison
    assert {found[name].status for name in GOOD} == {"ok"}
    assert_equal_poses(tmp_path / "mixed.zarr", tmp_path / "good.zarr")
    assert any(len(set(batch)) > 1 for batch in batches(log))


def test_batches_and_processes_change_no_pose(tmp_path: Path) -> None:
    """Of several videos together and decoded elsewhere, and frame by frame."""
    catalog, log = film(tmp_path / "videos"), tmp_path / "log"
    usual = config(catalog, tmp_path / "usual.zarr", decoders=4, log=log)
    usual = replace(usual, batching=BatchSettings(processes=2))
    exact = replace(
        usual,
        out=tmp_path / "exact.zarr",
        options=EstimatorOptions(reproducible=True),
        batching=BatchSettings(),
    )
    extract(usual, ignore)
    extract(exact, ignore)
    assert_equal_poses(tmp_path / "usual.zarr", tmp_path / "exact.zarr")
    sizes = [len(batch) for batch in batches(log)]
    assert sum(sizes) == 12 * len(GOOD) + 1  # and the grey frame of the probe
    assert max(sizes) > 1


def test_a_batch_too_large_for_the_device_is_halved_and_stays_so(tmp_path: Path) -> None:
    catalog, log = film(tmp_path / "videos"), tmp_path / "log"
    extract(config(catalog, tmp_path / "small.zarr", room=3, log=log), ignore)
    extract(config(catalog, tmp_path / "large.zarr"), ignore)
    assert_equal_poses(tmp_path / "small.zarr", tmp_path / "large.zarr")
    sizes = [len(batch) for batch in batches(log)]
    refused = [place for place, size in enumerate(sizes) if size > 3]
    assert sum(sizes[place] for place in range(len(sizes)) if place not in refused) == 49
    # Of 8 frames, then of 4 and 4, and the same of the batch that was on its way behind it.
    assert len(refused) <= 6
    assert max(sizes[max(refused, default=-1) + 1 :]) <= 3


def test_a_device_without_room_for_one_frame_says_so_and_condemns_nobody(tmp_path: Path) -> None:
    catalog, out = film(tmp_path / "videos"), tmp_path / "poses.zarr"
    with pytest.raises(EnvironmentFault, match=r"no memory for a single frame.*--long-edge"):
        extract(config(catalog, out, room=0), ignore)
    assert markers(out) == {}


def test_a_device_that_fails_midway_fails_the_attempt_and_condemns_nobody(tmp_path: Path) -> None:
    catalog, out, broken = film(tmp_path / "videos"), tmp_path / "poses.zarr", tmp_path / "broken"
    asked = config(catalog, out, broken=broken)
    broken.touch()
    with pytest.raises(EnvironmentFault, match="the device is lost: see its log"):
        extract(asked, ignore)
    assert markers(out) == {}
    broken.unlink()
    extract(asked, ignore)
    assert set(all_poses(out)) == set(GOOD)


def test_a_batch_larger_than_the_estimator_takes_is_refused_at_once(tmp_path: Path) -> None:
    asked = config(film(tmp_path / "videos"), tmp_path / "poses.zarr")
    with pytest.raises(InputError, match=r"batches of 9 frames.*poison_batches takes 8"):
        extract(replace(asked, batching=BatchSettings(9)), ignore)
    assert not (tmp_path / "poses.zarr").exists()
