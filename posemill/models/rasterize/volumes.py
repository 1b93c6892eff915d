"""Where the maps of a batch's joints or limbs lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor

from posemill.models.rasterize.batch import PlacedBatch
from posemill.models.rasterize.rows import Rows


def volume_shape(batch: PlacedBatch, num_maps: int, *, time_first: bool) -> tuple[int, ...]:
    """Of the volumes of `num_maps` joints or limbs."""
    num_frames = batch.frames_each()
    inner = (num_frames, num_maps) if time_first else (num_maps, num_frames)
    return batch.num_clips, *inner, *batch.size_hw


def map_numbers(rows: Rows, batch: PlacedBatch, num_maps: int, *, time_first: bool) -> Tensor:
    """(n, num_maps): the map of each person's joint or limb, counted in memory's order."""
    each = torch.arange(num_maps, device=rows.frame.device)
    if time_first:
        return rows.frame[:, None] * num_maps + each
    num_frames = batch.frames_each()
    time = rows.frame - rows.clip * num_frames
    return (rows.clip[:, None] * num_maps + each) * num_frames + time[:, None]
