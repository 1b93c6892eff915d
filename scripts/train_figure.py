"""Train the `figure` estimator on pictures that the fixtures render on the fly.

    python scripts/train_figure.py                      # writes the packaged weights
    python scripts/train_figure.py --steps 500 --out /tmp/figure.npz

The packaged weights took 18 minutes on two cores. Pictures are of the train styles
only; `scripts/evaluate_figure.py` measures on the test ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from posemill.fixtures.scene import Picture, render_picture
from posemill.models.estimators.figure_fields import STRIDE, encode
from posemill.models.estimators.figure_net import FigureNet, FigureOutput
from posemill.models.estimators.figure_weights import PACKAGED_WEIGHTS, save_weights
from posemill.schema import Float32, UInt8
from posemill.transforms.skeletons import COCO_17

SIZES = ((256, 192), (256, 192), (256, 144), (208, 208), (192, 256))  # width, height
AVERAGE_DECAY = 0.998
SETTLE_BATCHES = 100
MIN_STEPS = 100  # fewer leave no room for the rise of the learning rate
LOG_EVERY, SAVE_EVERY = 100, 500
MIN_SEEN_JOINTS = 4  # somebody less seen than this is not asked for

Sample = tuple[Tensor, Tensor, Tensor]


def compressed(rng: np.random.Generator, rgb: UInt8) -> UInt8:
    """`rgb` with the blocks of a lossy codec, as in the frames of a video."""
    if rng.random() < 0.35:
        return rgb
    quality = int(rng.integers(20, 95))
    _, data = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def flipped(picture: Picture) -> Picture:
    """The mirror image: half of the rendering, and nothing but the sides differs."""
    width = picture.rgb.shape[1]
    xy_px = picture.xy_px[:, COCO_17.mirror].copy()
    xy_px[..., 0] = width - 1 - xy_px[..., 0]
    left, top, right, bottom = picture.box_xyxy_px.T
    return Picture(
        rgb=np.ascontiguousarray(picture.rgb[:, ::-1]),
        xy_px=xy_px,
        visible=picture.visible[:, COCO_17.mirror],
        inside=picture.inside[:, COCO_17.mirror],
        box_xyxy_px=np.stack([width - 1 - right, top, width - 1 - left, bottom], axis=1),
    )


def targets(picture: Picture) -> tuple[Float32, Float32]:
    """Heatmaps and fields of the joints on the picture of everybody who can be made out."""
    made_out = picture.visible.sum(axis=1) >= MIN_SEEN_JOINTS
    known = picture.inside & made_out[:, None]
    height, width = picture.rgb.shape[:2]
    return encode(picture.xy_px, known.tolist(), height // STRIDE, width // STRIDE)


class Pictures(IterableDataset[Sample]):
    """Batches of one picture size each, of pictures and their mirror images; every worker has
    its own random stream and renders its share, or one batch more."""

    def __init__(self, seed: int, batch: int, count: int) -> None:
        self.seed, self.batch, self.count = seed, batch, count

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        cv2.setNumThreads(1)
        share = -(-self.count // (worker.num_workers if worker else 1))
        for _ in range(share):
            width, height = SIZES[rng.integers(len(SIZES))]
            yield self._batch(rng, width, height)

    def _batch(self, rng: np.random.Generator, width: int, height: int) -> Sample:
        rgb, heatmaps, fields = [], [], []
        for _ in range(self.batch // 2):
            picture = render_picture(rng, "train", width=width, height=height)
            for view in (picture, flipped(picture)):
                joint_maps, limb_maps = targets(view)
                rgb.append(compressed(rng, view.rgb))
                heatmaps.append(joint_maps)
                fields.append(limb_maps)
        stacked = (np.stack(maps) for maps in (rgb, heatmaps, fields))
        return cast(Sample, tuple(torch.from_numpy(maps) for maps in stacked))


def loss_of(output: FigureOutput, heatmaps: Tensor, fields: Tensor) -> Tensor:
    """sum (1 + 8 H)(H' - H)^2 + 1/2 sum (1 + 3 m)(P' - P)^2, a mean over pictures and cells."""
    joints = (1 + 8 * heatmaps) * (output.heatmaps.float() - heatmaps) ** 2
    x, y = fields[:, 0::2], fields[:, 1::2]
    on_limb = torch.sqrt(x**2 + y**2).repeat_interleave(2, dim=1)
    limbs = (1 + 3 * on_limb) * (output.fields.float() - fields) ** 2
    return joints.sum(dim=1).mean() + 0.5 * limbs.sum(dim=1).mean()


def moving_average(averages: Sequence[Tensor], current: Sequence[Tensor], _: int | Tensor) -> None:
    """Keep an exponential average of the weights."""
    for average, value in zip(averages, current, strict=True):
        if average.is_floating_point():
            average.lerp_(value, 1.0 - AVERAGE_DECAY)


def scaled(rgb: Tensor) -> Tensor:
    return rgb.permute(0, 3, 1, 2).float().div_(255)


def settle(net: nn.Module, pictures: Iterator[Sample], batches: int) -> None:
    """Measure the normalisations' statistics anew: averaged weights have statistics of their
    own, which are not the average of those on the way."""
    norms = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    net.train()
    with torch.no_grad():
        for rgb, _, _ in islice(pictures, batches):
            net(scaled(rgb))
    net.eval()


@dataclass(frozen=True, slots=True)
class Training:
    """What decides the weights."""

    steps: int
    batch: int
    learning_rate: float
    seed: int
    workers: int


def train(training: Training, out: Path) -> None:
    """Train, save now and then, and at last save the averaged network, settled."""
    torch.manual_seed(training.seed)
    net = FigureNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(net, multi_avg_fn=moving_average, use_buffers=True)
    optimizer = torch.optim.AdamW(net.parameters(), training.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.learning_rate, total_steps=training.steps, pct_start=0.05
    )
    loader = DataLoader(
        Pictures(training.seed, training.batch, training.steps + SETTLE_BATCHES),
        batch_size=None,
        num_workers=training.workers,
        multiprocessing_context="spawn" if training.workers else None,
    )
    pictures = iter(loader)
    start, running = time.monotonic(), 0.0
    for step, (rgb, heatmaps, fields) in enumerate(islice(pictures, training.steps), start=1):
        with torch.autocast("cpu", torch.bfloat16):
            output = net(scaled(rgb))
        loss = loss_of(output, heatmaps, fields)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(net)
        running += loss.item()
        if step % LOG_EVERY == 0:
            seconds = time.monotonic() - start
            print(f"step {step} loss {running / LOG_EVERY:.4f} {seconds:.0f} s", flush=True)
            running = 0.0
        if step % SAVE_EVERY == 0:
            save_weights(average.module.state_dict(), out)
    settle(average.module, pictures, SETTLE_BATCHES)
    save_weights(average.module.state_dict(), out)
    print(f"saved {out} after {time.monotonic() - start:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=7000)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=PACKAGED_WEIGHTS)
    options = parser.parse_args()
    if options.steps < MIN_STEPS:
        parser.error(f"--steps must be at least {MIN_STEPS}, got {options.steps}")
    torch.set_num_threads(options.threads)
    training = Training(
        options.steps, options.batch, options.learning_rate, options.seed, options.workers
    )
    train(training, options.out)


if __name__ == "__main__":
    main()
