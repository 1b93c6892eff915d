"""Videos that kill, hang or starve what works on them; and a device that is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from chain import all_poses, assert_equal_poses, ignore, index, markers
from poison import ESTIMATOR_FAULTS, plant, write_video

from posemill.errors import EnvironmentFault
from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.decode import DecodeSettings
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event, StageStarted, WorkerRetired
from posemill.pipelines.extract import ExtractConfig, extract
from posemill.pipelines.pose_job import PoseSummary
from posemill.pipelines.supervise import Limits
from posemill.storage.poses import PoseStore, VideoEntry

LIMITS = Limits(silence_seconds=4.0, memory_bytes=2**30)
GOOD = ("a", "c", "n", "z")
WIDTHS = {fault: width for width, fault in ESTIMATOR_FAULTS.items()}


@pytest.fixture(autouse=True)
def _plugin(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(plant(tmp_path_factory.mktemp("plugin")))


def film(root: Path, *poison: str) -> Path:
    """Good videos, and poison such as `decoder_crash` or `estimator_hang`; their catalog."""
    root.mkdir()
    for name in GOOD:
        write_video(root / f"{name}.mp4")
    for name in poison:
        where, _, fault = name.partition("_")
        width = WIDTHS[fault] if where == "estimator" else 128
        write_video(root / f"{name}.mp4", width)
    return index(root, root.parent / f"{root.name}.catalog")


def run(
    catalog: Path,
    out: Path,
    on_event: Callable[[Event], None] = ignore,
    *,
    workers: int = 1,
    videos_per_shard: int = 5,
    device: Path | None = None,
    decoders: int = 1,
    limits: Limits = LIMITS,
) -> PoseSummary:
    parameters = {} if device is None else {"device": str(device)}
    config = ExtractConfig(
        catalog,
        out,
        "poison",
        EstimatorOptions(reproducible=True, parameters=parameters),
        engine_options=EngineOptions(workers=workers),
        limits=limits if device is None else Limits(),
        videos_per_shard=videos_per_shard,
        decoding=DecodeSettings(decoders),
    )
    return extract(config, on_event)


def entries(store: Path) -> dict[str, VideoEntry]:
    return PoseStore.open(store).entries()


def test_exactly_the_five_poison_videos_are_quarantined(tmp_path: Path) -> None:
    decoder = ("decoder_crash", "decoder_hang", "decoder_exception")
    poison = (*decoder, "estimator_crash", "estimator_hang")
    run(film(tmp_path / "mixed", *poison), tmp_path / "mixed.zarr")
    run(film(tmp_path / "good"), tmp_path / "good.zarr")
    found = entries(tmp_path / "mixed.zarr")
    assert {name: found[name].reason for name in poison} == {
        "decoder_crash": "crashed",
        "decoder_hang": "timeout",
        "decoder_exception": "failed",
        "estimator_crash": "crashed",
        "estimator_hang": "timeout",
    }
    assert "killed by SIGSEGV while decoding frame 5" in found["decoder_crash"].message
    assert "no sign of life" in found["decoder_hang"].message
    assert "out of imagination" in found["decoder_exception"].message
    assert "SIGSEGV while estimating poses, at frame 5" in found["estimator_crash"].message
    for name in poison:
        assert found[name].status == "quarantined"
        assert str(tmp_path / "mixed" / f"{name}.mp4") in found[name].message
    assert set(all_poses(tmp_path / "mixed.zarr")) == set(GOOD)
    assert_equal_poses(tmp_path / "mixed.zarr", tmp_path / "good.zarr")


@pytest.mark.parametrize("videos_per_shard", [8, 3])
def test_decoders_that_are_ahead_of_their_reader_condemn_no_other_video(
    tmp_path: Path, videos_per_shard: int
) -> None:
    """They are lost while a video before theirs is read, or is yet to be read; also one of
    another shard."""
    poison = ("decoder_crash", "decoder_exception")
    catalog, out = film(tmp_path / "videos", *poison), tmp_path / "poses.zarr"
    run(catalog, out, videos_per_shard=videos_per_shard, decoders=2)
    statuses = {name: entry.status for name, entry in entries(out).items()}
    assert statuses == dict.fromkeys(GOOD, "ok") | dict.fromkeys(poison, "quarantined")


def test_a_video_that_eats_all_memory_is_quarantined(tmp_path: Path) -> None:
    hogs = ("estimator_hog", "decoder_hog")
    catalog = film(tmp_path / "videos", *hogs, "estimator_exception")
    patient = replace(LIMITS, silence_seconds=60.0)  # a busy machine takes long to be eaten up
    run(catalog, tmp_path / "poses.zarr", limits=patient)
    found = entries(tmp_path / "poses.zarr")
    for hog in hogs:
        assert found[hog].reason == "memory"
        assert "its limit is 1.00 GiB" in found[hog].message
    assert found["estimator_exception"].reason == "failed"
    assert {found[name].status for name in GOOD} == {"ok"}


def test_a_job_stops_when_almost_all_videos_are_quarantined(tmp_path: Path) -> None:
    root, out = tmp_path / "videos", tmp_path / "poses.zarr"
    film(root)
    for number in range(12):
        (root / f"text_{number:02}.mp4").write_text("this is no video\n")
    catalog = index(root, tmp_path / "catalog")
    with pytest.raises(EnvironmentFault, match=r"11 of 1\d videos tried.*not one frame"):
        run(catalog, out, videos_per_shard=16)
    assert markers(out) == {}


def test_a_store_that_takes_no_bytes_stops_the_job_before_its_work(tmp_path: Path) -> None:
    catalog, out = film(tmp_path / "videos"), tmp_path / "poses.zarr"

    def lose_the_disk(event: Event) -> None:
        if isinstance(event, StageStarted):
            out.rename(tmp_path / "away")
            out.touch()

    with pytest.raises(EnvironmentFault, match=r"no healthy worker is left.*poses\.zarr"):
        run(catalog, out, lose_the_disk)


def test_a_broken_device_retires_its_worker_and_condemns_no_video(tmp_path: Path) -> None:
    events: list[Event] = []
    catalog, device = film(tmp_path / "videos"), tmp_path / "device"
    for name in "efgh":
        write_video(tmp_path / "videos" / f"{name}.mp4")
    catalog = index(tmp_path / "videos", catalog)

    def note(event: Event) -> None:
        events.append(event)
        if isinstance(event, WorkerRetired):
            device.with_suffix(".retired").touch()

    run(catalog, tmp_path / "poses.zarr", note, workers=2, videos_per_shard=1, device=device)
    assert {entry.status for entry in entries(tmp_path / "poses.zarr").values()} == {"ok"}
    (retired,) = [event for event in events if isinstance(event, WorkerRetired)]
    assert "the device is lost" in retired.message


def test_with_all_devices_broken_the_job_stops_and_says_why(tmp_path: Path) -> None:
    device, out = tmp_path / "device", tmp_path / "poses.zarr"
    device.write_text("none yet")
    catalog = film(tmp_path / "videos")

    def break_devices(event: Event) -> None:
        device.write_text("all")

    with pytest.raises(EnvironmentFault, match=r"no healthy worker.*the device is lost"):
        run(catalog, out, break_devices, videos_per_shard=1, device=device)
    assert markers(out) == {}
