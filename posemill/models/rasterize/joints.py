"""Joints as Gaussians, drawn where the tensors are: `transforms.rasterize.draw_joints`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posemill.models.rasterize.batch import PlacedBatch
from posemill.models.rasterize.patches import (
    PIXELS_AT_ONCE,
    Gaussian,
    joint_patches,
    patch_pixels,
    patch_values,
    put,
)
from posemill.models.rasterize.rows import Rows, blocks
from posemill.transforms.rasterize import Combine


class DrawJoints(nn.Module):
    """Volumes of joint maps, within 1e-5 of the compiled `draw_joints`.

    Beside the maps it takes the memory of a block of people's patches. Scores
    must lie in [0, 1], which nobody looks at here.

    Args:
        sigma, truncate, combine: see `transforms.rasterize.draw_joints`.
        time_first: maps lie in memory frame by frame, as cubes (T, K, H, W) do.

    Raises:
        ValueError: a setting out of range.
    """

    def __init__(
        self,
        sigma: float,
        truncate: float = 3.0,
        combine: Combine = "max",
        *,
        time_first: bool = False,
        pixels_at_once: int = PIXELS_AT_ONCE,
    ) -> None:
        super().__init__()
        self.gaussian = Gaussian(sigma, truncate, combine)
        self.time_first = time_first
        self.pixels_at_once = pixels_at_once

    @torch.no_grad()
    def forward(self, batch: PlacedBatch) -> Tensor:
        """(B, K, T, H, W), or (B, T, K, H, W) with `time_first`; float32.

        Raises:
            ValueError: clips of different numbers of frames.
        """
        shape = volume_shape(batch, batch.num_keypoints, time_first=self.time_first)
        maps = torch.zeros(shape, device=batch.score.device)
        patch_hw = self.gaussian.patch_hw(batch.size_hw)
        for rows in blocks(
            batch, batch.num_keypoints * patch_hw[0] * patch_hw[1], self.pixels_at_once
        ):
            patches = joint_patches(rows.xy_px, rows.score, rows.limit, self.gaussian.reach)
            first = patches.spans.first
            values = patch_values(patches, first, patch_hw, self.gaussian.falloff)
            number = map_numbers(rows, batch, batch.num_keypoints, time_first=self.time_first)
            pixels = patch_pixels(first, patch_hw, batch.size_hw, number)
            put(maps, pixels, values, self.gaussian.combine)
        return maps


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
