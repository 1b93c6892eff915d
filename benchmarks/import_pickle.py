"""What importing a pickle of clips takes beside `pickle.load`: make bench-import.

Files as mmcv writes them (protocol 2, in which bytes are text) and as Python does by default
since 3.8 (protocol 4), of 10,000 clips of 60 to 180 frames and 1 to 3 people, of a fourth of
them, and of 10,000 clips of 8 frames. Ours walks through the file and then reads one clip after
the other to poses, as `posemill import` does. `pickle.load` holds all at once; beside it is
what it takes until the same poses are made of what it holds. It runs whatever a pickle says.

Each in a process of its own, in turn, the median of several; files in the page cache. Memory is
the greatest growth of the resident set after all is imported; time is of the processor.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import NamedTuple

MAKE = """
import pickle, sys
import numpy as np
path, num_clips, frames, protocol = sys.argv[1], *map(int, sys.argv[2:])
rng = np.random.default_rng(0)
def clip(number):
    people, total = int(rng.integers(1, 4)), int(rng.integers(frames // 2, frames * 3 // 2 + 1))
    xy = rng.random((people, total, 17, 2), np.float32) * 1000
    return {"frame_dir": f"S001C001P001R001A{number:06d}", "label": number % 60,
            "img_shape": (1080, 1920), "original_shape": (1080, 1920), "total_frames": total,
            "keypoint": xy.astype(np.float16),
            "keypoint_score": rng.random((people, total, 17), np.float32).astype(np.float16)}
clips = [clip(number) for number in range(num_clips)]
names = [each["frame_dir"] for each in clips]
split = {"xsub_train": names[::2], "xsub_val": names[1::2]}
with open(path, "wb") as file:
    pickle.dump({"split": split, "annotations": clips}, file, protocol)
"""
RUN = """
import pickle, resource, sys, time
from pathlib import Path
from posemill.storage.formats.pyskl import PysklFormat
from posemill.storage.formats.pyskl_file import Annotation
from posemill.storage.formats.pyskl_poses import people_in_slots
path = Path(sys.argv[2])
def load():
    with path.open("rb") as file:
        return pickle.load(file)
def load_and_make():
    for each in load()["annotations"]:
        note = Annotation(path, 0, each["frame_dir"], each["total_frames"], each["img_shape"],
                          each["label"], None, None, None)
        people_in_slots(note, each["keypoint"], each["keypoint_score"], follow=False)
def walk():
    return list(PysklFormat().find(path))
def walk_and_read():
    given = PysklFormat()
    for source in walk():
        given.look(source.uri)
        given.read(source.uri)
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
work, before, start = vars()[sys.argv[1]], resident(), time.process_time()
kept = work()
seconds = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(seconds, max(0, peak - before) / 1e6)
"""
WORK = {
    "walk": "ours: which clips there are",
    "load": "pickle.load",
    "walk_and_read": "ours: all poses, clip after clip",
    "load_and_make": "pickle.load, then the same poses",
}


class Case(NamedTuple):
    num_clips: int
    frames: int
    """In the middle of a clip's."""
    protocol: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    few, many = options.clips // 4, options.clips
    for case in (Case(many, 120, 2), Case(many, 120, 4), Case(few, 120, 2), Case(many, 8, 2)):
        with tempfile.TemporaryDirectory() as folder:
            _show(case, Path(folder) / "clips.pkl", options.rounds)


def _show(case: Case, path: Path, rounds: int) -> None:
    _python(MAKE, str(path), *map(str, case))
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name in WORK:
            seconds, megabytes = map(float, _python(RUN, name, str(path)).split())
            found[name].append((seconds, megabytes))
    print(
        f"\n{case.num_clips:,} clips of about {case.frames} frames, protocol {case.protocol}, "
        f"{path.stat().st_size / 1e6:,.0f} MB"
    )
    for name, title in WORK.items():
        seconds, megabytes = (median(values) for values in zip(*found[name], strict=True))
        rate = case.num_clips / seconds
        print(f"  {title:34s} {seconds:7.2f} s {rate:9,.0f} clips/s {megabytes:8.1f} MB")
    for ours, theirs in (("walk", "load"), ("walk_and_read", "load"),
                         ("walk_and_read", "load_and_make")):  # fmt: skip
        _compare(ours, theirs, found)


def _compare(ours: str, theirs: str, found: dict[str, list[tuple[float, float]]]) -> None:
    """Ratios of the rounds, in each of which both ran."""
    times, memories = [], []
    for (our_time, our_memory), (time, memory) in zip(found[ours], found[theirs], strict=True):
        times.append(our_time / time)
        memories.append(our_memory / memory)
    verdict = "slower" if median(times) > 1 else "faster"
    print(
        f"  {WORK[ours]} : {WORK[theirs]}: time {median(times):.2f} "
        f"({min(times):.2f} .. {max(times):.2f}), {verdict}; memory {median(memories):.3f} "
        f"({min(memories):.3f} .. {max(memories):.3f})"
    )


def _python(code: str, *arguments: str) -> str:
    made = subprocess.run(  # noqa: S603 - its own code
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    return made.stdout


if __name__ == "__main__":
    main()
