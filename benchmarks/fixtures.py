"""How fast fixtures are rendered and written, on one process: make bench-fixtures.

Three measurements of the same scenes: frames as arrays, frames and the video
encoder, and single pictures as they train the figure estimator.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from posemill.fixtures.actions import CLASSES
from posemill.fixtures.scene import ClipSpec, render_clip, render_picture
from posemill.pipelines.fixtures import write_video


def milliseconds(work: Callable[[], int], repeats: int) -> tuple[float, float, float]:
    """Median, least and greatest CPU milliseconds a frame; `work` returns how many it made."""
    each = []
    for _ in range(repeats):
        start = time.process_time()
        frames = work()
        each.append(1000 * (time.process_time() - start) / frames)
    return statistics.median(each), min(each), max(each)


def clips(number: int) -> int:
    return sum(len(render_clip(ClipSpec(0, "train", name, number)).frames) for name in CLASSES)


def videos(number: int, folder: Path) -> int:
    frames = 0
    for name in CLASSES:
        clip = render_clip(ClipSpec(0, "train", name, number))
        write_video(folder / f"{name}.mp4", clip.frames, 24.0)
        frames += len(clip.frames)
    return frames


def pictures(count: int) -> int:
    rng = np.random.default_rng(0)
    for _ in range(count):
        render_picture(rng, "train")
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        measured = {
            "frames of clips": milliseconds(lambda: clips(0), repeats),
            "frames of clips, written": milliseconds(lambda: videos(0, Path(folder)), repeats),
            "single pictures": milliseconds(lambda: pictures(100), repeats),
        }
    print(f"CPU milliseconds a frame at 256 x 192, median of {repeats} (least .. greatest)")
    for name, (median, least, most) in measured.items():
        print(f"{name:26s} {median:6.2f}  ({least:.2f} .. {most:.2f})")


if __name__ == "__main__":
    main()
