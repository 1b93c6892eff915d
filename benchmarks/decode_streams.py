"""Frames per second of one stream against plain OpenCV: make bench-decode-streams.

The peer is what a short script does: `cv2.VideoCapture`, `cv2.resize` where it
scales, `cv2.cvtColor` to RGB. Ours is `open_video` with either decoder, which
guards, times and judges every frame. All use one thread; times are of the
processor, and all take turns in one process, so that a busy machine slows all
of them alike.

The footage is `../shared/videos/real/two_people_1080p.mp4` where it is there,
else rendered figures; it is encoded anew for each case.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
from footage import encode, footage
from turns import measure

from posemill.storage.video import open_video

LONG_EDGE = 640
WANTED = {"1080p": 1.0, "720p": 1.0, "256p": 1.2}


@dataclass(frozen=True, slots=True)
class Case:
    """A video to decode."""

    name: str
    height: int
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    loops: int = 1
    """How often the footage is gone through."""


CASES = (
    Case("1080p", 1080),
    Case("720p", 720),
    Case("256p", 256, loops=4),  # ten seconds, as a clip of Kinetics has
    Case("720p mpeg4", 720, "mpeg4"),
    Case("720p vp9", 720, "libvpx-vp9"),
    Case("720p hevc 10 bit", 720, "libx265", "yuv420p10le"),
    Case("720p 4:4:4", 720, "libx264", "yuv444p"),
)


def plain(path: Path, long_edge: int | None) -> int:
    """The peer: how many frames it decodes."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [int(cv2.CAP_PROP_N_THREADS), 1])
    count = 0
    while True:
        decoded, bgr = capture.read()
        if not decoded:
            return count
        if long_edge is not None:
            height, width = bgr.shape[:2]
            scale = min(1.0, long_edge / max(width, height))
            size = round(width * scale), round(height * scale)
            bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
        cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        count += 1


def ours(path: Path, long_edge: int | None, decoder: str) -> int:
    with open_video(path, long_edge=long_edge, decoder=decoder) as reader:
        return sum(1 for _ in reader)


def readers(path: Path, long_edge: int | None) -> Iterator[tuple[str, Callable[[], int]]]:
    yield "plain OpenCV", lambda: plain(path, long_edge)
    for decoder in ("pyav", "opencv"):
        yield f"posemill {decoder}", lambda decoder=decoder: ours(path, long_edge, decoder)  # type: ignore[misc]


def report(case: Case, path: Path, long_edge: int | None, seconds: float) -> None:
    frames = plain(path, long_edge)
    times = measure(dict(readers(path, long_edge)), seconds)
    peer = times["plain OpenCV"].median
    size = "native" if long_edge is None else f"to {long_edge}"
    for name, each in times.items():
        ratio = peer / each.median
        aim = WANTED.get(case.name, 1.0)
        verdict = "" if name == "plain OpenCV" or ratio >= aim else f"  below {aim}"
        print(
            f"{case.name:18s} {size:7s} {name:16s} {1e3 * frames / each.median:8.0f} frames/s  "
            f"x{ratio:5.2f}{verdict}",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each measurement")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    frames = footage()
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(CASES):
            path = Path(folder) / f"{number}.mp4"
            encode(path, frames * case.loops, case.height, case.codec, case.pixel_format)
            for long_edge in (None, LONG_EDGE):
                report(case, path, long_edge, arguments.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
