"""How fast joints become maps, against plain numpy in the same run: make bench-rasterize.

Two peers: `dense` evaluates the Gaussian's formula on every pixel of every map
(separably); `patches` loops over the joints in Python and fills a patch each,
as the published PoseConv3D code does. All are checked to agree first.
Milliseconds depend on the machine; the ratios travel better.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.transforms.potion import potion_s, time_encoding
from posemill.transforms.rasterize import draw_joints, erase_joints

NUM_KEYPOINTS, NUM_FRAMES, SIGMA, NUM_CHANNELS = 17, 48, 0.6, 3
VOLUME_HW, POTION_HW = (56, 56), (64, 64)
TURN_MS = 30.0
FIRST_CALL = """
import time, numpy as np
from posemill.transforms.rasterize import draw_joints, accumulate_joints
xy, score, ptr = np.ones((1, 1, 2), "f4"), np.ones((1, 1), "f4"), np.array([0, 1])
start = time.perf_counter()
draw_joints(xy, score, ptr, 0.6, np.zeros((1, 1, 8, 8), "f4"))
middle = time.perf_counter()
accumulate_joints(xy, score, ptr, np.ones((1, 3), "f4"), 0.6, np.zeros((1, 3, 8, 8), "f4"))
print(middle - start, time.perf_counter() - middle)
"""

Array = npt.NDArray[Any]
People = tuple[Array, Array, Array]


def made_up_people(num_persons: int, size_hw: tuple[int, int]) -> People:
    rng = np.random.default_rng(0)
    num_rows = NUM_FRAMES * num_persons
    xy = rng.uniform(0, [size_hw[1] - 1, size_hw[0] - 1], (num_rows, NUM_KEYPOINTS, 2))
    score = rng.uniform(0.1, 1.0, (num_rows, NUM_KEYPOINTS))
    ptr = np.arange(NUM_FRAMES + 1) * num_persons
    return xy.astype(np.float32), score.astype(np.float32), ptr


def dense(people: People, size_hw: tuple[int, int]) -> Array:
    """(K, T, H, W); assumes equally many people in every frame."""
    xy, score, ptr = people
    num_persons = int(ptr[1])
    across = _lines(xy[..., 0], size_hw[1])
    down = _lines(xy[..., 1], size_hw[0]) * score[..., None]
    out = np.zeros((NUM_KEYPOINTS, NUM_FRAMES, *size_hw), np.float32)
    for person in range(num_persons):
        y, x = down[person::num_persons], across[person::num_persons]  # (T, K, size)
        np.maximum(out, np.einsum("tkh,tkw->kthw", y, x), out=out)
    return out


def _lines(centre: Array, size: int) -> Array:
    pixel = np.arange(size, dtype=np.float32)
    distance = pixel - centre[..., None]
    near = (pixel >= np.floor(centre - 3 * SIGMA)[..., None]) & (distance <= 3 * SIGMA)
    return np.where(near, np.exp(distance**2 / np.float32(-2 * SIGMA**2)), 0).astype(np.float32)


def patches(people: People, size_hw: tuple[int, int]) -> Array:
    """(K, T, H, W), a joint at a time."""
    xy, score, ptr = people
    out = np.zeros((NUM_KEYPOINTS, NUM_FRAMES, *size_hw), np.float32)
    for t in range(NUM_FRAMES):
        for p in range(ptr[t], ptr[t + 1]):
            for k in range(NUM_KEYPOINTS):
                _patch(out[k, t], xy[p, k, 0], xy[p, k, 1], score[p, k])
    return out


def _patch(plane: Array, x: float, y: float, score: float) -> None:
    height, width = plane.shape
    x0, x1 = max(int(x - 3 * SIGMA), 0), min(int(x + 3 * SIGMA) + 1, width)
    y0, y1 = max(int(y - 3 * SIGMA), 0), min(int(y + 3 * SIGMA) + 1, height)
    columns, rows = np.arange(x0, x1), np.arange(y0, y1)[:, None]
    gaussian = score * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * SIGMA**2))
    plane[y0:y1, x0:x1] = np.maximum(plane[y0:y1, x0:x1], gaussian)


def measure(work: dict[str, Callable[[], object]], seconds: float) -> dict[str, list[float]]:
    """Milliseconds of processor time of every call after two to warm up.

    Everybody takes turns, and waiting for a processor is not counted, so that
    other work on the machine slows all alike.
    """
    times: dict[str, list[float]] = {name: [] for name in work}
    for call in work.values():
        call(), call()
    end = time.perf_counter() + seconds * len(work)
    while time.perf_counter() < end or min(map(len, times.values())) < 5:
        for name, call in work.items():
            times[name] += _turn(call)
    return times


def _turn(call: Callable[[], object]) -> list[float]:
    turn: list[float] = []
    while sum(turn) < TURN_MS:
        start = time.process_time()
        call()
        turn.append((time.process_time() - start) * 1e3)
    return turn


def report(rows: dict[str, list[float]], ours: str) -> None:
    base = statistics.median(rows[ours])
    for name, times in rows.items():
        low, middle, high = np.percentile(times, [10, 50, 90])
        print(
            f"  {name:<42}{middle:9.3f} ms  ({low:.3f} .. {high:.3f}, n={len(times)})"
            f"{middle / base:9.1f} x ours"
        )


def bench_volume(num_persons: int, budget_seconds: float) -> None:
    people = made_up_people(num_persons, VOLUME_HW)
    reused = np.zeros((NUM_KEYPOINTS, NUM_FRAMES, *VOLUME_HW), np.float32)

    def fresh() -> Array:
        out = np.zeros_like(reused)
        draw_joints(*people, SIGMA, out)
        return out

    def draw_and_erase() -> None:
        draw_joints(*people, SIGMA, reused)
        erase_joints(*people, SIGMA, reused)

    for peer in (dense, patches):
        assert np.abs(fresh() - peer(people, VOLUME_HW)).max() < 1e-5  # noqa: S101
    work: dict[str, Callable[[], object]] = {
        "ours, drawn and erased in a reused array": draw_and_erase,
        "ours, into a new array": fresh,
        "numpy, dense": lambda: dense(people, VOLUME_HW),
        "numpy, patches": lambda: patches(people, VOLUME_HW),
    }
    print(f"Joint volume 17 x 48 x 56 x 56, people in every frame: {num_persons}")
    report(measure(work, budget_seconds), "ours, drawn and erased in a reused array")


def bench_potion(num_persons: int, budget_seconds: float) -> None:
    people = made_up_people(num_persons, POTION_HW)
    encoding = time_encoding(NUM_FRAMES, NUM_CHANNELS)

    def ours() -> Array:
        return potion_s(*people, num_channels=NUM_CHANNELS, sigma=SIGMA, size_hw=POTION_HW)

    def through_volume(volume: Callable[[People, tuple[int, int]], Array]) -> Array:
        maps = volume(people, POTION_HW)
        return np.tensordot(maps, encoding, axes=([1], [0])).transpose(0, 3, 1, 2)

    for peer in (dense, patches):
        assert np.abs(ours() - through_volume(peer)).max() < 1e-4  # noqa: S101
    print(f"PoTion S 17 x 3 x 64 x 64 of 48 frames, people in every frame: {num_persons}")
    work: dict[str, Callable[[], object]] = {
        "ours": ours,
        "numpy, dense volume": lambda: through_volume(dense),
        "numpy, patches volume": lambda: through_volume(patches),
    }
    report(measure(work, budget_seconds), "ours")


def bench_first_call() -> None:
    print("First call in a new process (volume, PoTion):")
    with tempfile.TemporaryDirectory() as cache:
        for state in ("compiling", "from numba's disk cache"):
            output = subprocess.run(  # noqa: S603
                [sys.executable, "-c", FIRST_CALL],
                env=os.environ | {"NUMBA_CACHE_DIR": cache},
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            volume, potion = (float(seconds) for seconds in output.split())
            print(f"  {state:<42}{volume:9.3f} s {potion:9.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="budget of each measurement")
    budget_seconds = parser.parse_args().seconds
    print(f"numpy {np.__version__}, processor time: median (10% .. 90%)")
    for num_persons in (1, 2, 10):
        bench_volume(num_persons, budget_seconds)
    for num_persons in (1, 2, 10):
        bench_potion(num_persons, budget_seconds)
    bench_first_call()


if __name__ == "__main__":
    main()
