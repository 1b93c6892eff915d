"""Joints as Gaussians, drawn where the tensors are: `transforms.rasterize.draw_joints`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posemill.models.rasterize.batch import PlacedBatch
from posemill.models.rasterize.gaussian import Gaussian
from posemill.models.rasterize.patches import joint_patches, patch_pixels, patch_values, put
from posemill.models.rasterize.rows import PIXELS_AT_ONCE, blocks
from posemill.models.rasterize.volumes import map_numbers, volume_shape
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
        pixels_each = batch.num_keypoints * patch_hw[0] * patch_hw[1]
        for rows in blocks(batch, pixels_each, self.pixels_at_once):
            patches = joint_patches(rows.xy_px, rows.score, rows.limit, self.gaussian.reach)
            first = patches.spans.first
            values = patch_values(patches, first, patch_hw, self.gaussian.falloff)
            number = map_numbers(rows, batch, batch.num_keypoints, time_first=self.time_first)
            pixels = patch_pixels(first, patch_hw, batch.size_hw, number)
            put(maps, pixels, values, self.gaussian.combine)
        return maps
