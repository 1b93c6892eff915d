"""PoTion's and JMRN's maps, drawn where the tensors are: `transforms.potion`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor, nn

from posemill.models.rasterize.batch import PlacedBatch
from posemill.models.rasterize.gaussian import Gaussian
from posemill.models.rasterize.patches import (
    JointPatches,
    joint_patches,
    patch_pixels,
    patch_values,
    put,
)
from posemill.models.rasterize.rows import PIXELS_AT_ONCE, Rows, cut_rows, owners, take_rows
from posemill.schema import Int64
from posemill.transforms.potion import PEAK_DELTA
from posemill.transforms.rasterize import Combine

TimeEncoded = Literal["s", "u", "p"]
"""S, PoTion's U = S / (max S + 1e-4), or JMRN's p_c = S_c / sum_t o_c(t)."""


class DrawPotion(nn.Module):
    """Joints' ways through time, of clips of any numbers of frames.

    Equal to `transforms.potion` within 1e-5; S, which grows with the frames, as
    far as float32 sums in another order agree (on a GPU that order changes from
    run to run, but for `torch.use_deterministic_algorithms`). No volume is made:
    people of a frame that meet by "max" are compared pair by pair, so a frame of
    M people takes M (M + 1) / 2 patches of each joint.

    Args:
        num_channels: C, 2 or more.
        sigma, truncate, combine: see `transforms.rasterize.draw_joints`.
        of: what is made of S.

    Raises:
        ValueError: a setting out of range.
    """

    def __init__(
        self,
        num_channels: int,
        sigma: float,
        truncate: float = 3.0,
        combine: Combine = "max",
        *,
        of: TimeEncoded = "u",
        pixels_at_once: int = PIXELS_AT_ONCE,
    ) -> None:
        super().__init__()
        if num_channels < 2 or of not in get_args(TimeEncoded):
            raise ValueError(
                "the time encoding needs 2 channels or more, and `of` must be one of "
                f"{', '.join(get_args(TimeEncoded))}; got {num_channels} and {of!r}"
            )
        self.gaussian = Gaussian(sigma, truncate, combine)
        self.num_channels = num_channels
        self.of = of
        self.pixels_at_once = pixels_at_once

    @torch.no_grad()
    def forward(self, batch: PlacedBatch) -> Tensor:
        """(B, K, C, H, W) float32."""
        s = self._s(batch)
        if self.of == "u":
            return s.div_(s.amax(dim=(-2, -1), keepdim=True) + float(PEAK_DELTA))
        if self.of == "p":
            return s.mul_(_share_of_possible(batch, self.num_channels)[:, None, :, None, None])
        return s

    def _s(self, batch: PlacedBatch) -> Tensor:
        shape = batch.num_clips, batch.num_keypoints, self.num_channels, *batch.size_hw
        s = torch.zeros(shape, device=batch.score.device)
        joint = torch.arange(batch.num_keypoints, device=s.device)
        area = batch.size_hw[0] * batch.size_hw[1]
        patch_hw = self.gaussian.patch_hw(batch.size_hw)
        for rows, num_pairs in self._blocks(batch, patch_hw):
            patches = joint_patches(rows.xy_px, rows.score, rows.limit, self.gaussian.reach)
            values = patch_values(patches, patches.spans.first, patch_hw, self.gaussian.falloff)
            if num_pairs:
                values = self._beyond_earlier(batch, rows, num_pairs, patches, values)
            shares = _encode(batch, rows.frame, rows.clip, self.num_channels)
            map_of = (rows.clip[:, None] * batch.num_keypoints + joint) * self.num_channels
            map_of = map_of + shares.channel[:, None]
            pixels = patch_pixels(patches.spans.first, patch_hw, batch.size_hw, map_of)
            put(s, pixels, values * shares.low[:, None, None, None], "sum")
            put(s, pixels + area, values * shares.high[:, None, None, None], "sum")
        return s

    def _blocks(self, batch: PlacedBatch, patch_hw: tuple[int, int]) -> Iterator[tuple[Rows, int]]:
        """All rows, some at a time, and how many pairs they make with others of their frames."""
        earlier = _earlier(batch.pointers.frame)
        if self.gaussian.combine == "sum":
            earlier = np.zeros_like(earlier)
        pixels_each = batch.num_keypoints * patch_hw[0] * patch_hw[1]
        for first, stop in cut_rows((1 + earlier) * pixels_each, self.pixels_at_once):
            number = torch.arange(first, stop, device=batch.score.device)
            yield take_rows(batch, number), int(earlier[first:stop].sum())

    def _beyond_earlier(
        self,
        batch: PlacedBatch,
        rows: Rows,
        num_pairs: int,
        patches: JointPatches,
        values: Tensor,
    ) -> Tensor:
        """By how much `values` (n, K, h, w) exceed those of all earlier people of the frame.

        Summed over the people of a frame, this is the greatest of their values.
        """
        row, other = _pairs(batch, rows, num_pairs)
        reach, falloff = self.gaussian.reach, self.gaussian.falloff
        others = joint_patches(batch.xy_px[other], batch.score[other], rows.limit[row], reach)
        patch_hw = values.shape[-2], values.shape[-1]
        theirs = patch_values(others, patches.spans.first[row], patch_hw, falloff)
        target = row[:, None, None, None].expand_as(theirs)
        greatest = torch.zeros_like(values).scatter_reduce_(0, target, theirs, "amax")
        return (values - greatest).clamp_(min=0.0)


def _earlier(frame_ptr: Int64) -> Int64:
    """(P,): how many people of the same frame come before each."""
    start = np.repeat(frame_ptr[:-1], np.diff(frame_ptr))
    return np.arange(frame_ptr[-1]) - start


def _pairs(batch: PlacedBatch, rows: Rows, num_pairs: int) -> tuple[Tensor, Tensor]:
    """Each of `rows` with each earlier one of its frame: place in `rows`, number in the batch."""
    first = batch.frame_ptr[rows.frame]
    earlier = rows.number - first
    place = torch.arange(len(earlier), device=earlier.device)
    row = place.repeat_interleave(earlier, output_size=num_pairs)
    start = earlier.cumsum(0) - earlier
    within = torch.arange(num_pairs, device=row.device) - start[row]
    return row, first[row] + within


class _Shares(NamedTuple):
    """The two channels that a frame goes to: `channel`, and the one after it."""

    channel: Tensor  # int64
    low: Tensor  # float32
    high: Tensor  # float32


def _encode(batch: PlacedBatch, frame: Tensor, clip: Tensor, num_channels: int) -> _Shares:
    """Of frames of clips, see `transforms.potion.time_encoding`."""
    first, stop = batch.clip_ptr[clip], batch.clip_ptr[clip + 1]
    span = (stop - first - 1).clamp(min=1)
    steps = (frame - first) * (num_channels - 1)
    channel = (steps // span).clamp(max=num_channels - 2)
    high = (steps - channel * span).double() / span
    return _Shares(channel, (1.0 - high).float(), high.float())


def _share_of_possible(batch: PlacedBatch, num_channels: int) -> Tensor:
    """(B, C): 1 / sum_t o_c(t), or 0 of a channel that no frame reaches."""
    frame = torch.arange(len(batch.frame_ptr) - 1, device=batch.frame_ptr.device)
    clip = owners(batch.clip_ptr, frame)
    shares = _encode(batch, frame, clip, num_channels)
    possible = torch.zeros(batch.num_clips * num_channels, device=frame.device)
    at = clip * num_channels + shares.channel
    possible.index_add_(0, at, shares.low).index_add_(0, at + 1, shares.high)
    possible = possible.view(batch.num_clips, num_channels)
    return torch.where(possible > 0, possible.reciprocal(), 0.0)
