"""What only a process of its own can show: the first calls' time, and the memory at its peak."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PEERS = ("ours", "the reference")

FIRST_CALLS = """
import time
import numpy as np
from posemill.transforms.rasterize import *
from posemill.transforms.rasterize import checks
people = np.full((1, 2, 2), 3, "f4"), np.ones((1, 2), "f4"), np.array([0, 1])
pairs, sigma = [(0, 1)], {"sigma": 0.6}
def maps(count, dtype):
    return np.zeros((count, 1, 8, 8), dtype)
calls = {
    "checks of rows": lambda: checks.checked_people(*people),
    "draw_joints": lambda: draw_joints(*people, maps(2, "f4"), **sigma),
    "draw_joints, uint8": lambda: draw_joints(*people, maps(2, "u1"), **sigma),
    "draw_joints, float16": lambda: draw_joints(*people, maps(2, "f2"), **sigma),
    "erase_joints": lambda: erase_joints(*people, maps(2, "f4"), **sigma),
    "erase_joints, uint8": lambda: erase_joints(*people, maps(2, "u1"), **sigma),
    "erase_joints, float16": lambda: erase_joints(*people, maps(2, "f2"), **sigma),
    "draw_limbs": lambda: draw_limbs(*people, pairs, maps(1, "f4"), **sigma),
    "draw_limbs, uint8": lambda: draw_limbs(*people, pairs, maps(1, "u1"), **sigma),
    "erase_limbs": lambda: erase_limbs(*people, pairs, maps(1, "f4"), **sigma),
    "erase_limbs, uint8": lambda: erase_limbs(*people, pairs, maps(1, "u1"), **sigma),
    "erase_limbs, float16": lambda: erase_limbs(*people, pairs, maps(1, "f2"), **sigma),
    "draw_part_fields": lambda: draw_part_fields(*people, pairs, maps(2, "f4")),
    "accumulate_joints": lambda: accumulate_joints(
        *people, np.ones((1, 1), "f4"), maps(2, "f4"), **sigma),
}
for name, call in calls.items():
    start = time.perf_counter()
    call()
    print(f"{name}\\t{time.perf_counter() - start}")
"""

# Linux counts the greatest memory since "5" was written to clear_refs.
POTION_MEMORY = """
import sys
from pathlib import Path
import numpy as np
import reference
from posemill.transforms.potion import potion_s
num_frames, ours = int(sys.argv[1]), sys.argv[2] == "ours"
rng = np.random.default_rng(0)
xy = rng.uniform(0, 63, (1, num_frames, 17, 2)).astype("f4")
score = rng.uniform(0.1, 1, (1, num_frames, 17)).astype("f4")
options = {"num_channels": 3, "sigma": 0.6, "size_hw": (64, 64)}
def make(count):
    if ours:
        return potion_s(xy[0, :count], score[0, :count], np.arange(count + 1), **options)
    volume = reference.joint_volume(xy[:, :count], score[:, :count], 0.6, (64, 64))
    return reference.potion_s(volume, 3)
def peak_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
make(2)
Path("/proc/self/clear_refs").write_text("5")
before = peak_kib()
make(num_frames)
print((peak_kib() - before) / 1024)
"""


def print_first_calls() -> None:
    """Seconds of the first call of each kernel, compiling and from numba's disk cache."""
    with tempfile.TemporaryDirectory() as cache:
        compiling, cached = _first_calls(cache), _first_calls(cache)
    print("First calls in a new process: compiling, from numba's disk cache")
    for name, seconds in compiling.items():
        print(f"  {name:<44}{seconds:9.3f} s {cached[name]:9.3f} s")
    print(f"  {'all':<44}{sum(compiling.values()):9.3f} s {sum(cached.values()):9.3f} s")


def print_potion_memory() -> None:
    """MiB that PoTion takes beside its input, ours and the reference's, by length."""
    print("Peak memory of PoTion S 17 x 3 x 64 x 64 beside the poses, 1 person")
    # The reference's grows with T: 4800 frames would take 9 GiB.
    for num_frames, measured in ((48, PEERS), (480, PEERS), (4800, PEERS[:1])):
        for whose in measured:
            mib = float(_output(POTION_MEMORY, str(num_frames), whose))
            print(f"  {f'T = {num_frames}, {whose}':<44}{mib:9.1f} MiB")


def _first_calls(cache: str) -> dict[str, float]:
    lines = _output(FIRST_CALLS, NUMBA_CACHE_DIR=cache).splitlines()
    return {name: float(seconds) for name, seconds in (line.split("\t") for line in lines)}


def _output(script: str, *arguments: str, **environment: str) -> str:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", script, *arguments],
        cwd=Path(__file__).parent,
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
