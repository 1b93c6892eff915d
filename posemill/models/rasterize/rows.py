"""People of a batch, some at a time, so that what is computed of them fits in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from posemill.models.rasterize.batch import PlacedBatch
from posemill.models.rasterize.patches import owners


class Rows(NamedTuple):
    """n people, each in one frame of a clip."""

    xy_px: Tensor  # (n, K, 2)
    score: Tensor  # (n, K)
    frame: Tensor  # (n,) number in the batch
    clip: Tensor  # (n,)
    limit: Tensor  # (n, 2): width and height, px, of what is drawn on


def take_rows(batch: PlacedBatch, first: int, stop: int) -> Rows:
    """Rows `first` to `stop` - 1."""
    number = torch.arange(first, stop, device=batch.score.device)
    frame = owners(batch.frame_ptr, number)
    clip = owners(batch.clip_ptr, frame)
    limit = batch.valid_hw[clip].flip(-1)
    return Rows(batch.xy_px[first:stop], batch.score[first:stop], frame, clip, limit)


def blocks(batch: PlacedBatch, pixels_each: int, pixels_at_once: int) -> Iterator[Rows]:
    """All rows, so many at a time that they have `pixels_at_once`, or one."""
    num_rows, step = len(batch.score), max(pixels_at_once // pixels_each, 1)
    for first in range(0, num_rows, step):
        yield take_rows(batch, first, min(first + step, num_rows))
