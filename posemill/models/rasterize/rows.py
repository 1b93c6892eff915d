"""People of a batch, some at a time, so that what is computed of them fits in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from posemill.models.rasterize.batch import PlacedBatch
from posemill.schema import Int64

PIXELS_AT_ONCE = 1 << 22
"""Whose values are in memory, at 60 to 150 bytes each."""


class Rows(NamedTuple):
    """n people, each in one frame of a clip."""

    number: Tensor  # (n,) of the row
    xy_px: Tensor  # (n, K, 2)
    score: Tensor  # (n, K)
    frame: Tensor  # (n,) number in the batch
    clip: Tensor  # (n,)
    limit: Tensor  # (n, 2): width and height, px, of what is drawn on


def take_rows(batch: PlacedBatch, number: Tensor) -> Rows:
    """The rows of these numbers (n,)."""
    frame = owners(batch.frame_ptr, number)
    clip = owners(batch.clip_ptr, frame)
    limit = batch.valid_hw[clip].flip(-1)
    return Rows(number, batch.xy_px[number], batch.score[number], frame, clip, limit)


def blocks(batch: PlacedBatch, pixels_each: int, pixels_at_once: int) -> Iterator[Rows]:
    """All rows, so many at a time that they have `pixels_at_once`, or one."""
    cost = np.full(len(batch.score), pixels_each)
    for first, stop in cut_rows(cost, pixels_at_once):
        yield take_rows(batch, torch.arange(first, stop, device=batch.score.device))


def cut_rows(cost: Int64, at_once: int) -> Iterator[tuple[int, int]]:
    """First and stop of rows that together cost `at_once` at most, or of one."""
    spent, first = np.concatenate([[0], np.cumsum(cost)]), 0
    while first < len(cost):
        last = np.searchsorted(spent, spent[first] + at_once, side="right") - 1
        stop = max(int(last), first + 1)
        yield first, stop
        first = stop


def owners(pointers: Tensor, items: Tensor) -> Tensor:
    """Which span n of `pointers` (N + 1,) each of `items` is in: ptr[n] <= item < ptr[n + 1]."""
    return torch.searchsorted(pointers[1:], items, right=True)
