"""How fast torch draws poses where the network is: make bench-render-device.

The peer is the compiled transforms on one core, in the same run; on a GPU it is
also a plain copy of as many bytes as the maps have, on that GPU. Every result is
checked to agree with the compiled one first. What a loader ships for a clip
stands beside what its rendered maps take.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from transforms import NUM_CHANNELS, NUM_FRAMES, POTION_HW, VOLUME_HW, made_up_clip
from turns import measure

from posemill.models.rasterize import (
    DrawJoints,
    DrawLimbs,
    DrawPotion,
    PlacedBatch,
    collate_placed,
)
from posemill.transforms.placed import PlacedPoses
from posemill.transforms.potion import potion_s, potion_u
from posemill.transforms.rasterize import draw_joints, draw_limbs
from posemill.transforms.skeletons import COCO_17

Array = npt.NDArray[Any]

SIGMA, NUM_KEYPOINTS, NUM_LIMBS = 0.6, 17, len(COCO_17.limbs)
CPU_BATCH, GPU_BATCH = 8, 64
AIM = 0.6  # of a GPU's copy bandwidth
REPEATS = 50


class Case(NamedTuple):
    """What is drawn, by torch and by the compiled transform, of maps (B, ...)."""

    title: str
    size_hw: tuple[int, int]
    maps_each: int
    draw: nn.Module
    compiled: Callable[[PlacedPoses, Array], None]


def cases() -> list[Case]:
    """Joint and limb volumes, and PoTion."""

    def joints(clip: PlacedPoses, out: Array) -> None:
        out.fill(0)
        draw_joints(clip.xy_px, clip.score, clip.frame_ptr, out, sigma=SIGMA)

    def limbs(clip: PlacedPoses, out: Array) -> None:
        out.fill(0)
        draw_limbs(clip.xy_px, clip.score, clip.frame_ptr, COCO_17.limbs, out, sigma=SIGMA)

    def potion(clip: PlacedPoses, out: Array) -> None:
        people = clip.xy_px, clip.score, clip.frame_ptr
        settings: dict[str, Any] = {"num_channels": NUM_CHANNELS, "sigma": SIGMA}
        out[:] = potion_u(potion_s(*people, **settings, size_hw=POTION_HW))[0]

    draw_limb_maps = DrawLimbs(COCO_17.limbs, NUM_KEYPOINTS, SIGMA)
    return [
        Case("Joints", VOLUME_HW, NUM_FRAMES, DrawJoints(SIGMA), joints),
        Case("Limbs", VOLUME_HW, NUM_FRAMES, draw_limb_maps, limbs),
        Case("PoTion's U", POTION_HW, NUM_CHANNELS, DrawPotion(NUM_CHANNELS, SIGMA), potion),
    ]


def made_up_clips(case: Case, num_persons: int, num_clips: int) -> list[PlacedPoses]:
    """Each of `NUM_FRAMES` frames, all with as many people."""
    rows = [made_up_clip(num_persons, case.size_hw, seed=seed).rows for seed in range(num_clips)]
    return [
        PlacedPoses(xy, score, ptr.astype(np.int64), case.size_hw, case.size_hw)
        for xy, score, ptr in rows
    ]


def compiled_maps(case: Case, clips: list[PlacedPoses]) -> Array:
    """Zeros (B, K or L, T or C, H, W), to be drawn into."""
    assert NUM_LIMBS == NUM_KEYPOINTS  # noqa: S101
    return np.zeros((len(clips), NUM_KEYPOINTS, case.maps_each, *case.size_hw), np.float32)


def bench_one_core(case: Case, num_persons: int, seconds: float) -> None:
    """torch on the processor against the compiled transforms, both on one core."""
    clips = made_up_clips(case, num_persons, CPU_BATCH)
    batch, out = collate_placed(clips), compiled_maps(case, clips)

    def compiled() -> Array:
        for clip, maps in zip(clips, out, strict=True):
            case.compiled(clip, maps)
        return out

    def by_torch() -> Tensor:
        maps: Tensor = case.draw(batch)
        return maps

    assert np.abs(by_torch().numpy() - compiled()).max() < 1e-5  # noqa: S101
    times = measure({"torch": by_torch, "compiled": compiled}, seconds)
    ratio = times["compiled"].median / times["torch"].median
    shape = " x ".join(map(str, out.shape))
    print(f"{case.title} {shape}, people in every frame: {num_persons}")
    print(f"  {'torch on one core':<34}{times['torch']}{ratio:8.2f} x")
    print(f"  {'the compiled transforms':<34}{times['compiled']}")
    report_bytes(batch, out.nbytes)


def report_bytes(batch: PlacedBatch, maps_bytes: int) -> None:
    """What a loader ships for a clip; rendered maps are shipped as bytes, drawn as float32."""
    shipped, rendered = batch.num_bytes / batch.num_clips, maps_bytes / 4 / batch.num_clips
    print(
        f"  {'shipped for a clip':<34}{shipped / 1e3:9.1f} kB of coordinates, "
        f"{rendered / 1e3:.1f} kB of maps in uint8: {rendered / shipped:.0f} x as much"
    )


def bench_gpu(case: Case, num_persons: int) -> float:
    """The share of the GPU's copy bandwidth; the batch is on the GPU before."""
    clips = made_up_clips(case, num_persons, GPU_BATCH)
    few = case.draw(collate_placed(clips[:2]))
    batch = collate_placed(clips).pin_memory()
    here, draw = batch.to("cuda"), copy.deepcopy(case.draw).to("cuda")
    maps = draw(here)
    torch.testing.assert_close(maps[:2].cpu(), few, rtol=0, atol=1e-5)
    other = torch.empty_like(maps)
    draw_ms = gpu_ms(lambda: draw(here))
    copy_ms = gpu_ms(lambda: other.copy_(maps))
    shipped_ms = gpu_ms(lambda: batch.to("cuda", non_blocking=True))
    print(f"{case.title} {tuple(maps.shape)}, people in every frame: {num_persons}")
    print(f"  drawn in {draw_ms:.3f} ms, a copy of the maps on the GPU takes {copy_ms:.3f} ms")
    print(f"  {copy_ms / draw_ms:.0%} of the copy bandwidth; the aim: {AIM:.0%}")
    print(f"  shipping the coordinates from pinned memory takes {shipped_ms:.3f} ms")
    return copy_ms / draw_ms


def gpu_ms(work: Callable[[], object]) -> float:
    """Median milliseconds on the GPU, after calls to warm up."""
    for _ in range(5):
        work()
    starts, ends = (
        [torch.Event("cuda", enable_timing=True) for _ in range(REPEATS)] for _ in range(2)
    )
    for start, end in zip(starts, ends, strict=True):
        start.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return float(np.median([s.elapsed_time(e) for s, e in zip(starts, ends, strict=True)]))


def main() -> None:
    """Everything, as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="budget of each measurement")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, processor time: median (10% .. 90%), ratio to the compiled")
    for case in cases():
        for num_persons in (1, 2, 10):
            bench_one_core(case, num_persons, seconds)
    if not torch.cuda.is_available():
        print("No GPU here: the share of its copy bandwidth was not measured")
        return
    print(f"On {torch.cuda.get_device_name()}")
    shares = {
        (case.title, persons): bench_gpu(case, persons)
        for case in cases()
        for persons in (1, 2, 10)
    }
    missed = [f"{title}, {n} people: {s:.0%}" for (title, n), s in shares.items() if s < AIM]
    print("Short of the aim:", "; ".join(missed) or "nothing")


if __name__ == "__main__":
    main()
