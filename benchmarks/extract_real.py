"""Frames per second and memory of blazepose on real footage, one thread: make bench-extract-real.

Two peers are measured in the same run, repeat by repeat in turn with ours:

* decoding: a bare loop over `cv2.VideoCapture` with the conversion to RGB, also
  on one thread; ours is `open_video`, which guards and times every frame;
* estimating: the same estimator that looks for people in every frame
  (`detect_every=1`), which is what an estimator without tracking has to do.

Memory is the greatest resident set of a fresh process that decodes and
estimates a video once, and the same video many times over as one.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import cv2

from posemill.errors import PosemillError
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.blazepose import BlazePose, create
from posemill.schema import UInt8
from posemill.storage.video import open_video

DEFAULT_VIDEOS = Path(__file__).resolve().parents[1].parent / "shared" / "videos" / "real"
WANTED_FPS = 15.0
BOUNDED_GROWTH = 1.1
NOISE = 0.05  # repeats of one measurement differ by more
EVERY_FRAME = {"detect_every": 1, "detect_every_empty": 1}


@dataclass(frozen=True, slots=True)
class Speed:
    """Frames per second over the repeats of one measurement."""

    name: str
    repeats: tuple[float, ...]
    core_share: float
    """Part of one core that the process got, median; clearly below 1, others were using it."""

    @property
    def median(self) -> float:
        return statistics.median(self.repeats)

    def ratio(self, peer: Speed) -> float:
        """Median of the repeats' ratios: each repeat against the peer's next to it."""
        return statistics.median(
            ours / theirs for ours, theirs in zip(self.repeats, peer.repeats, strict=True)
        )

    def line(self, peer: Speed) -> str:
        spread = f"{min(self.repeats):.1f}-{max(self.repeats):.1f}"
        against = "" if peer is self else f"  {self.ratio(peer):5.2f} x {peer.name}"
        share = f"{self.core_share:4.0%} of a core"
        return f"  {self.name:30s} {self.median:7.1f} frames/s ({spread}), {share}{against}"


def decode_bare(path: Path, limit: int) -> Iterator[UInt8]:
    """The peer: what a short script does."""
    threads = [cv2.CAP_PROP_N_THREADS, 1]
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, threads)
    for _ in range(limit):
        decoded, bgr = capture.read()
        if not decoded:
            return
        yield cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[misc]


def decode(path: Path, limit: int) -> Iterator[UInt8]:
    """The first `limit` frames, as extraction reads them."""
    with open_video(path, threads=1) as reader:
        for frame in islice(reader, limit):
            yield frame.rgb


def frames_per_second(work: Callable[[], Iterable[object]]) -> tuple[float, float]:
    """How fast `work` yields, and the part of a core that it got meanwhile."""
    began, began_cpu = time.perf_counter(), time.process_time()
    count = sum(1 for _ in work())
    seconds = time.perf_counter() - began
    return count / seconds, (time.process_time() - began_cpu) / seconds


def measure(path: Path, limit: int, repeats: int) -> dict[str, Speed]:
    """All speeds of one video; each repeat runs every measurement once, in turn."""
    usual, eager = create(EstimatorOptions()), create(EstimatorOptions(parameters=EVERY_FRAME))
    frames = list(decode(path, limit))
    work: dict[str, Callable[[], Iterable[object]]] = {
        "bare cv2 decoding (peer)": lambda: decode_bare(path, limit),
        "decoding alone": lambda: decode(path, limit),
        "detection every frame (peer)": lambda: eager.estimate(frames),
        "estimator alone": lambda: usual.estimate(frames),
        "decoding + estimator": lambda: usual.estimate(decode(path, limit)),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, job in work.items():
            taken[name].append(frames_per_second(job))
    return {
        name: Speed(name, tuple(speeds), statistics.median(shares))
        for name, values in taken.items()
        for speeds, shares in [tuple(zip(*values, strict=True))]
    }


def report(path: Path, speeds: dict[str, Speed]) -> list[str]:
    """Print a video's speeds; return a line for each case that loses."""
    bare, eager = speeds["bare cv2 decoding (peer)"], speeds["detection every frame (peer)"]
    peers = {"decoding alone": bare, "estimator alone": eager, "decoding + estimator": bare}
    for name, speed in speeds.items():
        print(speed.line(peers.get(name, speed)))
    lost = [
        f"{path.name}: {name} is slower than its peer ({speeds[name].ratio(peer):.2f} x)"
        for name, peer in list(peers.items())[:2]
        if speeds[name].ratio(peer) < 1 - NOISE
    ]
    whole = speeds["decoding + estimator"].median
    if whole < WANTED_FPS:
        share = speeds["decoding + estimator"].core_share
        lost.append(
            f"{path.name}: {whole:.1f} frames/s, on {share:.0%} of a core, "
            f"are less than the {WANTED_FPS:.0f} wanted"
        )
    return lost


def looped(path: Path, limit: int, loops: int) -> Iterator[UInt8]:
    """The video's first `limit` frames `loops` times over."""
    for _ in range(loops):
        yield from decode(path, limit)


def peak_memory_mib(path: Path, limit: int, loops: int) -> float:
    """Greatest resident set of this (fresh) process after decoding and estimating."""
    cv2.setNumThreads(1)
    estimator: BlazePose = create(EstimatorOptions())
    for _ in estimator.estimate(looped(path, limit, loops)):
        pass
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the parent's memory at the fork as well
        lines = status.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def compare_memory(path: Path, limit: int, loops: int) -> list[str]:
    """Print the memory of a video and of a long one; return a line if the latter loses."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        once = fresh.submit(peak_memory_mib, path, limit, 1).result()
        often = fresh.submit(peak_memory_mib, path, limit, loops).result()
    ratio = often / once
    print(f"  peak memory {once:.0f} MiB; {loops} times as long {often:.0f} MiB ({ratio:.2f} x)")
    if ratio > BOUNDED_GROWTH:
        return [f"{path.name}: memory grows with the video's length ({ratio:.2f} x)"]
    return []


def find_videos(given: list[Path]) -> list[Path]:
    """The videos to measure: files as they are, folders by their .mp4 and .mkv files."""
    videos: list[Path] = []
    for path in given:
        if path.is_dir():
            videos += sorted(file for file in path.iterdir() if file.suffix in (".mp4", ".mkv"))
        elif path.is_file():
            videos.append(path)
        else:
            raise SystemExit(f"{path} does not exist; give video files or folders of them")
    if not videos:
        raise SystemExit(f"no .mp4 or .mkv file in {', '.join(map(str, given))}")
    return videos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("videos", nargs="*", type=Path, default=[DEFAULT_VIDEOS])
    parser.add_argument("--frames", type=int, default=60, help="of each video (default 60)")
    parser.add_argument("--repeats", type=int, default=5, help="of each measurement (default 5)")
    parser.add_argument("--loops", type=int, default=10, help="for the memory of a long video")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    lost: list[str] = []
    try:
        for path in find_videos(given.videos):
            print(path.name)
            lost += compare_memory(path, given.frames, given.loops)
            lost += report(path, measure(path, given.frames, given.repeats))
    except PosemillError as error:
        raise SystemExit(str(error)) from error
    print("\nloses: " + ("; ".join(lost) if lost else "nothing"))


if __name__ == "__main__":
    main()
