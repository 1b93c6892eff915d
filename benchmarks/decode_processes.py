"""Frames per second of decoder processes against streams alone: make bench-decode-processes.

The peer is `open_video` in a loop, one stream on one thread, alone; so many
streams as there are decoders would at best be so many times as fast. Ours is a
pool of decoder processes whose frames a reader takes from shared memory, one
clip after the other as extraction does, or as many clips at once as there are
decoders, as an estimator that mixes clips would.

Repeats take turns. Beside frames per second the cost is told, in processor time
a frame of decoders and reader together: on a busy machine that is the surer figure.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
from footage import encode, footage

from posemill.pipelines.decode import ClipFrames, DecoderPool, Request
from posemill.storage.files.cache import FileCache
from posemill.storage.files.location import Location
from posemill.storage.video import FrameOptions, open_video

HEIGHTS = (1080, 720, 256)
LONG_EDGES = (None, 640)
NOTHING_FETCHED = FileCache(Path("nothing-is-fetched"))
_TICKS = os.sysconf("SC_CLK_TCK")
Clips = Generator[ClipFrames, None, None]


@dataclass(frozen=True, slots=True)
class Turn:
    """One measurement of one way."""

    frames_per_second: float
    milliseconds: float
    """Of processor time, a frame."""


def alone(path: Path, options: FrameOptions) -> Turn:
    """The peer: a stream in this process."""
    start, start_cpu = time.perf_counter(), time.process_time()
    with open_video(path, **options.as_dict()) as reader:
        count = sum(1 for _ in reader)
    return _turn(count, time.perf_counter() - start, time.process_time() - start_cpu)


def pooled(
    pool: DecoderPool, path: Path, options: FrameOptions, clips: int, read: Callable[[Clips], int]
) -> Turn:
    """`clips` clips, decoded by the processes and read by `read`."""
    request = Request(path.name, Location(str(path)), NOTHING_FETCHED, options=options)
    start, start_cpu = time.perf_counter(), _cpu_seconds(pool)
    count = read(pool.decode([request] * clips))
    return _turn(count, time.perf_counter() - start, _cpu_seconds(pool) - start_cpu)


def one_by_one(clips: Clips) -> int:
    return sum(1 for clip in clips for _ in clip)


def at_once(clips: Clips, num_clips: int) -> int:
    """A frame of each open clip in turn; a clip that ends makes room for the next."""
    open_clips = list(islice(clips, num_clips))
    count = 0
    while open_clips:
        for clip in tuple(open_clips):
            if next(clip, None) is not None:
                count += 1
            else:
                open_clips.remove(clip)
                open_clips += islice(clips, 1)
    return count


def compare(path: Path, options: FrameOptions, pools: list[DecoderPool], repeats: int) -> None:
    """Print a line for each way of each pool."""
    ways: dict[str, Callable[[], Turn]] = {"alone": lambda: alone(path, options)}
    streams = {"alone": 1}
    for pool in pools:
        for name, way in _ways(pool, path, options):
            ways[name], streams[name] = way, len(pool.decoders)
    turns: dict[str, list[Turn]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            turns[name].append(way())
    for name, taken in turns.items():
        print(_line(name, taken, turns["alone"], streams[name]))


def _ways(
    pool: DecoderPool, path: Path, options: FrameOptions
) -> Iterator[tuple[str, Callable[[], Turn]]]:
    num = len(pool.decoders)
    clips = 2 * num + 1

    def read_at_once(waiting: Clips) -> int:
        return at_once(waiting, num)

    yield (
        f"{num} decoders, clip after clip",
        lambda: pooled(pool, path, options, clips, one_by_one),
    )
    if num > 1:
        yield (
            f"{num} decoders, {num} clips at once",
            lambda: pooled(pool, path, options, clips, read_at_once),
        )


def _line(name: str, taken: list[Turn], peer: list[Turn], streams: int) -> str:
    speed = statistics.median(turn.frames_per_second for turn in taken)
    cost = statistics.median(turn.milliseconds for turn in taken)
    pairs = list(zip(taken, peer, strict=True))
    rates = statistics.median(
        ours.frames_per_second / (streams * theirs.frames_per_second) for ours, theirs in pairs
    )
    costs = statistics.median(theirs.milliseconds / ours.milliseconds for ours, theirs in pairs)
    return (
        f"  {name:30s} {speed:7.0f} frames/s, {rates:5.2f} of {streams} alone; "
        f"{cost:6.2f} ms of processor a frame, {costs:5.2f} of what its cores would do alone"
    )


def _turn(count: int, seconds: float, cpu_seconds: float) -> Turn:
    return Turn(count / seconds, 1e3 * cpu_seconds / count)


def _cpu_seconds(pool: DecoderPool) -> float:
    """Of this process and the decoders."""
    return time.process_time() + sum(_cpu_seconds_of(decoder.pid) for decoder in pool.decoders)


def _cpu_seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--repeats", type=int, default=5, help="of each way (default 5)")
    parser.add_argument("--clip-frames", type=int, default=288, help="of each clip (default 288)")
    parser.add_argument(
        "--decoders", type=int, nargs="*", default=[1, os.cpu_count() or 2], help="of the pools"
    )
    given = parser.parse_args()
    if not Path("/proc/self/stat").exists():
        sys.exit("processor times of other processes are told by /proc, which is not there")
    cv2.setNumThreads(1)
    frames = footage()
    pools = [DecoderPool(num) for num in given.decoders]
    for pool in pools:
        pool.ready()
    with tempfile.TemporaryDirectory() as folder:
        for height in HEIGHTS:
            path = Path(folder, f"{height}.mp4")
            long = [frames[i % len(frames)] for i in range(given.clip_frames)]
            encode(path, long, height, "libx264", "yuv420p")
            for long_edge in LONG_EDGES:
                size = "native" if long_edge is None else f"long edge {long_edge}"
                print(f"{height}p, {size}", flush=True)
                compare(path, FrameOptions(long_edge=long_edge), pools, given.repeats)


if __name__ == "__main__":
    main()
