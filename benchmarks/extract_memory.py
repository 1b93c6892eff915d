"""Memory of each process of an extraction, at its most: make bench-extract-memory.

Ten minutes of 4K with 30 people in every frame, beside 255 clips of a second,
in one shard: the longest and the fullest that a shard is meant to hold. The
people come from a plug-in that draws their joints by chance, so that what is
measured is ours: frames in flight, rows, records and commits. What an
estimator takes is its own, and comes on top of the child's.

Own memory is what `--memory-limit` counts: without mapped files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
from footage import encode, footage

FPS = 30
MIB = 2**20
PLUGIN = """
import numpy as np
from posemill.models.estimators.base import Estimator, EstimatorSpec, Persons

class Crowd(Estimator):
    spec = EstimatorSpec("crowd", "coco-17", 1)
    people = 30
    def fingerprint(self):
        return "crowd"
    def estimate(self, frames):
        rng = np.random.default_rng(0)
        for frame in frames:
            xy_px = rng.random((self.people, 17, 2), np.float32) * np.float32(frame.shape[1::-1])
            score = rng.random((self.people, 17), np.float32)
            yield Persons(xy_px, score, np.arange(self.people))

def create(options):
    return Crowd()
"""
ROLES = {
    "decode.decoder_process": "decoder",
    "supervise.child": "child (frames to poses)",
    "multiprocessing.spawn": "worker (commits)",
    "-m posemill extract": "driver",
}


def write_long(path: Path, short: Path, seconds: int) -> None:
    """The packets of `short` over and over, for so long."""
    with av.open(str(short)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.dts is not None]
        length = sum(packet.duration or 0 for packet in packets)
        for turn in range(round(seconds / float(length * (stream.time_base or 0)))):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.stream, again.time_base = copy, packet.time_base
                again.pts = (packet.pts or 0) + turn * length
                again.dts = (packet.dts or 0) + turn * length
                again.is_keyframe = packet.is_keyframe
                target.mux(again)


def write_videos(folder: Path, seconds: int, clips: int) -> None:
    frames = footage()[:FPS]
    short, clip = folder.parent / "short.mp4", folder.parent / "clip.mp4"
    encode(short, frames, 2160, "mpeg4", "yuv420p")
    encode(clip, frames, 256, "libx264", "yuv420p")
    write_long(folder / "long.mp4", short, seconds)
    for number in range(clips):
        os.link(clip, folder / f"clip_{number:03}.mp4")


def plant(folder: Path) -> None:
    info = folder / "crowd-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crowd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[posemill.estimators]\ncrowd = crowd:create\n")
    (folder / "crowd.py").write_text(PLUGIN)


def own_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    sizes = dict(line.split(":", 1) for line in lines)
    return sum(int(sizes[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem"))


def sizes_now(mark: str) -> Iterator[tuple[str, int]]:
    """The role and own memory of each process of the job, which all carry a mark."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, KeyError):
            if mark.encode() in (folder / "environ").read_bytes():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                role = next((role for text, role in ROLES.items() if text in command), None)
                if role is not None:
                    yield role, own_bytes(int(folder.name))


def watch(command: list[str], environment: dict[str, str], mark: str) -> dict[str, int]:
    """The most that each role had at once, one process of it."""
    most: dict[str, int] = defaultdict(int)
    with subprocess.Popen(command, env=environment) as job:  # noqa: S603 - our own command
        while job.poll() is None:
            for role, size in sizes_now(mark):
                most[role] = max(most[role], size)
            time.sleep(0.1)
    if job.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit status {job.returncode}")
    return most


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600, help="of the long clip")
    parser.add_argument("--clips", type=int, default=255)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "videos").mkdir()
        write_videos(root / "videos", arguments.seconds, arguments.clips)
        plant(root / "plugin")
        mark = f"POSEMILL_BENCHMARK={root.name}"
        environment = {**os.environ, "PYTHONPATH": str(root / "plugin")}
        environment |= dict([mark.split("=")])
        posemill = [sys.executable, "-m", "posemill"]
        catalog, poses = str(root / "catalog"), str(root / "poses.zarr")
        index = [*posemill, "index", "folder", str(root / "videos"), "-o", catalog]
        subprocess.run(index, check=True, env=environment)  # noqa: S603 - our own command
        options = ["--estimator", "crowd", "--workers", "1", "--shard-videos", "256"]
        started = time.perf_counter()
        most = watch([*posemill, "extract", catalog, "-o", poses, *options], environment, mark)
        print(f"one shard in {time.perf_counter() - started:.0f} s; own memory at most:")
        for role in ROLES.values():
            print(f"  {role:26s} {most[role] / MIB:7.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
