"""Frames a second from videos to poses, over the bare estimator's: make bench-extract.

The peer is the estimator alone, on the same device with the same threads and
batches, fed with frames that lie in memory: nothing that reads, waits or writes
can be faster. Ours is `extract` with one worker: decoder processes, batches over
videos, the network, its maps turned into people, tracks, the store's commits. It
is timed from the first video begun to the last shard committed. Runs alternate.

A second table tells, of a run within this process, which share of the time each
part worked; the rest it waited for the others.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
from footage import encode, footage

from posemill.errors import InputError, PosemillError
from posemill.models.estimators.base import (
    EstimatorOptions,
    FrameDecoder,
    FrameEstimator,
    FrameResult,
)
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.decode import ClipFrames, DecoderPool, DecodeSettings, Request
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.estimate.batch_size import batch_size
from posemill.pipelines.estimate.batched import BatchedVideos
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.pipelines.estimate.stages import Stages
from posemill.pipelines.estimate.video_read import VideoRead
from posemill.pipelines.estimate.video_source import VideoSource
from posemill.pipelines.events import Event, ItemStarted, ShardEnded
from posemill.pipelines.extract import ExtractConfig, extract
from posemill.schema import Float32, UInt8, Video
from posemill.storage.catalog import write_catalog
from posemill.storage.datasets.folder import index_folder
from posemill.storage.files.cache import FileCache
from posemill.storage.files.location import Location
from posemill.storage.pose_records import VideoRecord
from posemill.storage.video import open_video
from posemill.transforms.tracking import TrackSettings

WANTED = {"cpu": 0.9, "cuda": 0.95}
"""Ours over the bare estimator, at least."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured."""

    estimator: str
    options: EstimatorOptions
    decoders: int
    batching: BatchSettings
    videos: Path
    repeats: int


def make_videos(folder: Path, num_videos: int, height: int) -> None:
    """Copies of real footage where it is there, else of moving patterns; H.264 in MP4."""
    folder.mkdir(parents=True)
    frames = footage()
    first = folder / "video_000.mp4"
    encode(first, [*frames, *frames[::-1]], height, "libx264", "yuv420p")
    for number in range(1, num_videos):
        (folder / f"video_{number:03}.mp4").write_bytes(first.read_bytes())


def frames_in_memory(path: Path) -> list[UInt8]:
    with open_video(path) as reader:
        return [frame.rgb for frame in reader]


def bare_rate(
    estimator: FrameEstimator[Any, Any, Any], size: int, frames: Sequence[UInt8]
) -> float:
    """Frames a second of the three steps, one after the other."""
    began = perf_counter()
    for start in range(0, len(frames), size):
        batch, metas = estimator.preprocess(frames[start : start + size])
        for raw, meta in zip(estimator.infer(batch), metas, strict=True):
            estimator.decoder(raw, meta)
    return len(frames) / (perf_counter() - began)


def whole_rate(setup: Setup, catalog: Path, out: Path) -> float:
    """Frames a second from the first video begun until all is committed."""
    times: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, ItemStarted | ShardEnded):
            times.append(perf_counter())

    config = ExtractConfig(
        catalog,
        out,
        setup.estimator,
        setup.options,
        engine_options=EngineOptions(workers=1),
        decoding=DecodeSettings(setup.decoders),
        batching=setup.batching,
        videos_per_shard=4,
    )
    summary = extract(config, note)
    return summary.num_frames / (times[-1] - times[0])


class Stopwatch:
    """Sums up the seconds that parts work."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def running(self, part: str) -> Iterator[None]:
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + perf_counter() - began


class Timed(FrameEstimator[Any, Any, Any]):
    """An estimator whose steps are timed."""

    def __init__(self, timed: FrameEstimator[Any, Any, Any], watch: Stopwatch) -> None:
        self.spec, self._timed, self._watch = timed.spec, timed, watch
        self.decoder: FrameDecoder[Any, Any] = self._decode

    def fingerprint(self) -> str:
        return self._timed.fingerprint()

    def bucket(self, size_wh: tuple[int, int]) -> Any:
        return self._timed.bucket(size_wh)

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[Any, list[Any]]:
        with self._watch.running("preparing batches"):
            return self._timed.preprocess(frames, boxes_px)

    def infer(self, batch: Any) -> list[Any]:
        with self._watch.running("the network"):
            return self._timed.infer(batch)

    def _decode(self, raw: Any, meta: Any) -> FrameResult:
        with self._watch.running("maps to people"):
            return self._timed.decoder(raw, meta)


class Silent:
    """A journal that nobody reads."""

    def begin(self, item_id: str) -> None: ...

    def advance(self, item_id: str) -> None: ...

    def finish(self, item_id: str, result: object) -> None: ...

    def beat(self, activity: str) -> None: ...


class TimedPool(DecoderPool):
    """Notes how long nothing can be done but wait for frames."""

    def __init__(self, num_decoders: int, watch: Stopwatch) -> None:
        super().__init__(num_decoders)
        self._watch = watch

    def wait_for_any(self, clips: Sequence[ClipFrames]) -> None:
        with self._watch.running("(waiting for frames)"):
            super().wait_for_any(clips)


def shares(setup: Setup, size: int, estimator: FrameEstimator[Any, Any, Any]) -> dict[str, float]:
    """The share of a run's time in which each part worked; maps are decoded in this process."""
    watch = Stopwatch()
    timed = Timed(estimator, watch)
    with TimedPool(setup.decoders, watch) as pool:
        pool.ready()
        stages: Stages[Any] = Stages(timed, size, 0)
        source = VideoSource(_reads(setup.videos, pool, timed), pool)
        began = perf_counter()
        with pool.reading():
            BatchedVideos(timed, pool, stages, source, TrackSettings()).run()
        seconds = perf_counter() - began
        stages.close()
    return {part: busy / seconds for part, busy in watch.seconds.items()}


def _reads(
    videos: Path, pool: DecoderPool, estimator: FrameEstimator[Any, Any, Any]
) -> Iterator[VideoRead]:
    cache = FileCache.of_environment()
    for path in sorted(videos.glob("*.mp4")):
        clip = pool.ask(Request(path.stem, Location.parse(str(path)), cache))
        video = Video(path.stem, path.name, path.stat().st_size, "as it is")
        skeleton, tracks = estimator.spec.skeleton, TrackSettings()
        yield VideoRead(
            path.stem, video, clip, skeleton, None, tracks, Silent(), _never_missing, None
        )


def _never_missing() -> VideoRecord:
    raise AssertionError("a video of this benchmark is gone")


def measure(setup: Setup, scratch: Path) -> bool:
    """Print the figures; whether the wanted ratio is reached."""
    catalog = scratch / "catalog"
    write_catalog(catalog, index_folder(setup.videos))
    estimator = create_estimator(setup.estimator, setup.options)
    if not isinstance(estimator, FrameEstimator):
        raise InputError(
            f"{setup.estimator} follows people from frame to frame: no batches to time"
        )
    size = batch_size(estimator, setup.batching.frames, setup.options.device)
    frames = frames_in_memory(min(setup.videos.glob("*.mp4")))
    height, width = frames[0].shape[:2]
    print(f"{setup.estimator} on {device_name(setup.options.device)}, {width} x {height} px")
    print(f"batches of {size}, {setup.decoders} decoders, {setup.options.threads} threads")
    bare_rate(estimator, size, frames[:size])
    ratios = []
    for number in range(setup.repeats):
        bare = bare_rate(estimator, size, frames * 4)
        whole = whole_rate(setup, catalog, scratch / f"poses_{number}.zarr")
        ratios.append(whole / bare)
        print(
            f"  bare {bare:7.1f} frames/s   extract {whole:7.1f} frames/s   {whole / bare:5.2f} x"
        )
    ratio = statistics.median(ratios)
    wanted = WANTED["cpu" if setup.options.device == "cpu" else "cuda"]
    verdict = "reached" if ratio >= wanted else "MISSED"
    print(f"median {ratio:.2f} of the bare estimator; wanted {wanted}: {verdict}")
    print("share of the time that each part worked (it waited for the rest of it):")
    for part, share in shares(setup, size, estimator).items():
        print(f"  {part:22s} {share:5.0%}")
    return ratio >= wanted


def device_name(device: str) -> str:
    if device == "cpu":
        return "cpu"
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--estimator", default="figure")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--decoders", type=int, default=1)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--pose-processes", type=int, default=0)
    parser.add_argument("--videos", type=int, default=12)
    parser.add_argument("--height", type=int, default=256, help="of the videos, in pixels")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        videos = Path(folder) / "videos"
        make_videos(videos, asked.videos, asked.height)
        setup = Setup(
            asked.estimator,
            EstimatorOptions(asked.device, asked.weights, threads=asked.threads),
            asked.decoders,
            BatchSettings(asked.batch_size, asked.pose_processes),
            videos,
            asked.repeats,
        )
        try:
            return 0 if measure(setup, Path(folder)) else 1
        except PosemillError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
