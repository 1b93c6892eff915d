"""How fast poses become maps, against plain numpy in the same run: make bench-transforms.

The peer is `reference`, the published algorithm; every result is checked to
agree with it first. One thread. Milliseconds depend on the machine; the ratios
travel better.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import reference
from new_process import print_first_calls, print_potion_memory
from turns import Times, Work, measure

from posemill.transforms.potion import time_encoding
from posemill.transforms.rasterize import (
    accumulate_joints,
    draw_joints,
    draw_limbs,
    draw_part_fields,
    erase_joints,
    erase_limbs,
)
from posemill.transforms.skeletons import COCO_17

NUM_FRAMES, SIGMA, NUM_CHANNELS, BATCH = 48, 0.6, 3, 8
VOLUME_HW, POTION_HW = (56, 56), (64, 64)
LIMBS = COCO_17.limbs
# What we set out for, as ratios, with 1, 2 and 10 people.
AIMS = {"joints": (100, 100, 90), "limbs": (80, 100, 140), "potion": (500, 250, 170)}
# A standing person of height 1, COCO-17, from the middle of the hips.
STANDING = [
    (0.00, -0.42), (0.02, -0.44), (-0.02, -0.44), (0.05, -0.43), (-0.05, -0.43),
    (0.12, -0.30), (-0.12, -0.30), (0.16, -0.14), (-0.16, -0.14), (0.18, 0.01), (-0.18, 0.01),
    (0.08, 0.00), (-0.08, 0.00), (0.09, 0.24), (-0.09, 0.24), (0.09, 0.47), (-0.09, 0.47),
]  # fmt: skip

Array = npt.NDArray[Any]


class Clip(NamedTuple):
    """Made-up people, as the reference takes them, (M, T, K, ...), and as ragged rows."""

    xy: Array
    score: Array

    @property
    def rows(self) -> tuple[Array, Array, Array]:
        persons, frames, keypoints = self.score.shape
        xy = self.xy.swapaxes(0, 1).reshape(frames * persons, keypoints, 2)
        score = self.score.swapaxes(0, 1).reshape(frames * persons, keypoints)
        return xy.copy(), score.copy(), np.arange(0, frames * persons + 1, persons)


def made_up_clip(num_persons: int, size_hw: tuple[int, int], *, seed: int = 0) -> Clip:
    """People, 50% to 90% as tall as the map, who move their limbs at random."""
    rng = np.random.default_rng(seed)
    shape = num_persons, NUM_FRAMES
    height = rng.uniform(0.5, 0.9, (num_persons, 1, 1, 1)) * size_hw[0]
    moved = np.array(STANDING) + rng.normal(0, 0.05, (*shape, 17, 2))
    place = rng.uniform(0.25, 0.75, (num_persons, 1, 1, 2)) * np.array(size_hw[::-1])
    xy = place + height * moved
    return Clip(xy.astype(np.float32), rng.uniform(0.1, 1.0, (*shape, 17)).astype(np.float32))


def check_volume(ours: Array, published: Array, exempt: Array | None = None) -> None:
    """Equal, but for the pixels left and top of 3 sigma that only the published cut keeps.

    `exempt` maps hold limbs shorter than a pixel, which differ on purpose.
    """
    differ = np.abs(ours - published) > 1e-5
    if exempt is not None:
        differ[exempt] = False
    ring = (ours < published) & (published <= np.exp(-4.5) + 1e-5)
    assert not (differ & ~ring).any()  # noqa: S101


def with_short_limbs(clip: Clip) -> Array:
    """(L, T): the maps that hold a limb shorter than a pixel."""
    a, b = np.array(LIMBS).T
    length = np.linalg.norm(clip.xy[:, :, a] - clip.xy[:, :, b], axis=-1)
    short: Array = (length < 1).any(axis=0).T
    return short


class Table:
    """Lines of what was measured, each against the first of its group."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.missed: list[str] = []

    def group(
        self, title: str, work: dict[str, Work], aim: float | None = None
    ) -> dict[str, Times]:
        """Measure; the last of `work` is the reference, the first what the aim is for."""
        times = measure(work, self.seconds)
        print(title)
        *names, peer = work
        for name in names:
            ratio = times[peer].median / times[name].median
            print(f"  {name:<44}{times[name]}{ratio:8.1f} x")
            if name == names[0] and aim is not None:
                print(f"  {'':<44}{'the aim':>47}{aim:8.1f} x")
                if ratio < aim:
                    self.missed.append(f"{title}: {ratio:.0f} of {aim:.0f} x")
        print(f"  {peer:<44}{times[peer]}")
        return times


def bench_joints(table: Table, num_persons: int, aim: float) -> None:
    clip = made_up_clip(num_persons, VOLUME_HW)
    rows = clip.rows
    reused = np.zeros((17, NUM_FRAMES, *VOLUME_HW), np.float32)
    small, half = reused.astype(np.uint8), reused.astype(np.float16)

    def ours(out: Array) -> Work:
        def work() -> None:
            draw_joints(*rows, out, sigma=SIGMA)
            erase_joints(*rows, out, sigma=SIGMA)

        return work

    def dirty() -> Array:
        reused.fill(0)
        draw_joints(*rows, reused, sigma=SIGMA)
        return reused

    def published() -> Array:
        return reference.joint_volume(clip.xy, clip.score, SIGMA, VOLUME_HW)

    check_volume(dirty(), published())
    reused.fill(0)
    work: dict[str, Work] = {
        "ours, drawn and erased in a reused array": ours(reused),
        "ours, the same in uint8": ours(small),
        "ours, the same in float16": ours(half),
        "ours, into a dirty array, cleared first": dirty,
        "filling the array with zeros": lambda: reused.fill(0),
        "the reference": published,
    }
    title = f"Joint volume 17 x 48 x 56 x 56, people in every frame: {num_persons}"
    times = table.group(title, work, aim)
    fill = times["filling the array with zeros"].median
    for name in list(work)[:1] + list(work)[3:4]:
        report_bandwidth(name, reused.nbytes, times[name].median, fill)
    share = times["ours, into a dirty array, cleared first"].median / fill
    if num_persons == 1 and share > 2:
        table.missed.append(f"{title}: {share:.1f} times filling the array, of 2")


def report_bandwidth(name: str, num_bytes: int, ours_ms: float, fill_ms: float) -> None:
    print(
        f"  {name:<44}{num_bytes / ours_ms / 1e6:9.1f} GB of maps a second, "
        f"{fill_ms / ours_ms:.2f} of the fill bandwidth ({num_bytes / fill_ms / 1e6:.1f} GB/s)"
    )


def bench_limbs(table: Table, num_persons: int, aim: float) -> None:
    clip = made_up_clip(num_persons, VOLUME_HW)
    people = f"people in every frame: {num_persons}"
    _bench_limbs(table, clip, f"Limb volume 17 x 48 x 56 x 56, {people}", aim)
    if num_persons == 1:
        rng = np.random.default_rng(0)
        scattered = rng.uniform(0, 55, clip.xy.shape).astype(np.float32)
        title = f"Limb volume, joints anywhere on the map, mean limb 29 px, {people}"
        _bench_limbs(table, Clip(scattered, clip.score), title, None)


def _bench_limbs(table: Table, clip: Clip, title: str, aim: float | None) -> None:
    rows = clip.rows
    reused = np.zeros((len(LIMBS), NUM_FRAMES, *VOLUME_HW), np.float32)
    fields = np.zeros((2 * len(LIMBS), NUM_FRAMES, *VOLUME_HW), np.float32)

    def ours() -> None:
        draw_limbs(*rows, LIMBS, reused, sigma=SIGMA)
        erase_limbs(*rows, LIMBS, reused, sigma=SIGMA)

    def published() -> Array:
        return reference.limb_volume(clip.xy, clip.score, LIMBS, SIGMA, VOLUME_HW)

    def part_fields() -> None:
        fields.fill(0)
        draw_part_fields(*rows, LIMBS, fields)

    draw_limbs(*rows, LIMBS, reused, sigma=SIGMA)
    check_volume(reused, published(), with_short_limbs(clip))
    reused.fill(0)
    work: dict[str, Work] = {
        "ours, drawn and erased in a reused array": ours,
        "our part fields (34 maps), cleared first": part_fields,
        "the reference": published,
    }
    table.group(title, work, aim)


def bench_potion(table: Table, num_persons: int, aim: float) -> None:
    clip = made_up_clip(num_persons, POTION_HW)
    rows = clip.rows
    encoding = time_encoding(NUM_FRAMES, NUM_CHANNELS)
    out = np.zeros((17, NUM_CHANNELS, *POTION_HW), np.float32)

    def ours() -> Array:
        out.fill(0)
        accumulate_joints(*rows, encoding, out, sigma=SIGMA)
        return out

    def volume() -> Array:
        return reference.joint_volume(clip.xy, clip.score, SIGMA, POTION_HW)

    def by_einsum() -> Array:
        weighted: Array = np.einsum("kthw,tc->kchw", volume(), encoding)
        return weighted

    drawn = np.zeros((17, NUM_FRAMES, *POTION_HW), np.float32)
    draw_joints(*rows, drawn, sigma=SIGMA)
    check_volume(drawn, volume())
    assert np.abs(ours() - reference.potion_s(drawn, NUM_CHANNELS)).max() < 1e-4  # noqa: S101
    work: dict[str, Work] = {
        "ours, into a dirty array, cleared first": ours,
        "the reference's volume, summed by einsum": by_einsum,
        "the reference": lambda: reference.potion_s(volume(), NUM_CHANNELS),
    }
    title = f"PoTion S 17 x 3 x 64 x 64 of 48 frames, people in every frame: {num_persons}"
    ours_ms, einsum_ms = (time.median for time in list(table.group(title, work, aim).values())[:2])
    print(f"  {'ours against the volume summed by einsum':<44}{einsum_ms / ours_ms:55.1f} x")


def bench_batch(table: Table) -> None:
    clips = [made_up_clip(1, VOLUME_HW, seed=seed) for seed in range(BATCH)]
    rows = [clip.rows for clip in clips]
    batch = np.zeros((BATCH, 17, NUM_FRAMES, *VOLUME_HW), np.float32)

    def reused() -> None:
        for people, out in zip(rows, batch, strict=True):
            draw_joints(*people, out, sigma=SIGMA)
        for people, out in zip(rows, batch, strict=True):
            erase_joints(*people, out, sigma=SIGMA)

    def dirty() -> Array:
        for people, out in zip(rows, batch, strict=True):
            out.fill(0)
            draw_joints(*people, out, sigma=SIGMA)
        return batch

    def published() -> Array:
        volumes = [reference.joint_volume(*clip, SIGMA, VOLUME_HW) for clip in clips]
        return np.stack(volumes)

    for ours, theirs in zip(dirty(), published(), strict=True):
        check_volume(ours, theirs)
    batch.fill(0)
    work: dict[str, Work] = {
        "ours, drawn and erased in a reused tensor": reused,
        "ours, into a dirty tensor, cleared first": dirty,
        "filling the tensor with zeros": lambda: batch.fill(0),
        "the reference": published,
    }
    times = table.group("Batch of 8 joint volumes in one tensor, 1 person", work)
    fill = times["filling the tensor with zeros"].median
    for name in list(work)[:2]:
        report_bandwidth(name, batch.nbytes, times[name].median, fill)


def main() -> None:
    """Everything, as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="budget of each measurement")
    table = Table(parser.parse_args().seconds)
    print(f"numpy {np.__version__}, processor time: median (10% .. 90%), ratio to the reference")
    benches: dict[str, Callable[[Table, int, float], None]] = {
        "joints": bench_joints, "limbs": bench_limbs, "potion": bench_potion,
    }  # fmt: skip
    for name, bench in benches.items():
        for num_persons, aim in zip((1, 2, 10), AIMS[name], strict=True):
            bench(table, num_persons, aim)
    bench_batch(table)
    print_first_calls()
    print_potion_memory()
    print("Short of the aim:", "; ".join(table.missed) or "nothing")


if __name__ == "__main__":
    main()
