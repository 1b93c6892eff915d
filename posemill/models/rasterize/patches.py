"""Gaussians of joints as small patches of pixels, for many people at once.

The same as the compiled loops of `transforms.rasterize.kernels`, by whole
tensors: where a patch ends is computed in float64, as there, and values in
float32. Nothing here asks the device for a number, so the host never waits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from posemill.transforms.rasterize import Combine
from posemill.transforms.rasterize.kernels import MIN_SCORE


class Spans(NamedTuple):
    """The pixels within reach of points along x and y, (..., 2): none where last < first."""

    first: Tensor  # int64
    last: Tensor  # int64

    @property
    def any(self) -> Tensor:
        return (self.first <= self.last).all(dim=-1)


def seen(score: Tensor) -> Tensor:
    """Whether joints of these scores are drawn; false for NaN and infinity."""
    return (score >= float(MIN_SCORE)) & (score < math.inf)


def spans(low: Tensor, high: Tensor, limit: Tensor, drawn: Tensor) -> Spans:
    """Pixels of 0 .. limit - 1 in low .. high, along x and y.

    Args:
        low, high: (..., 2) float64; NaN gives none.
        limit: (..., 2) int64.
        drawn: (...) whether there is anything.
    """
    on_map = (high >= 0) & (low <= limit - 1) & drawn[..., None]
    first = torch.where(on_map, low.clamp(min=0.0), 0.0).ceil()
    last = torch.where(on_map, torch.minimum(high, limit - 1.0), -1.0).floor()
    return Spans(first.long(), last.long())


class JointPatches(NamedTuple):
    """Gaussians of K joints of n people."""

    xy: Tensor  # (n, K, 2) float64
    peak: Tensor  # (n, K) float32; 0 where nothing is drawn
    spans: Spans  # (n, K, 2)


def joint_patches(xy_px: Tensor, score: Tensor, limit: Tensor, reach: float) -> JointPatches:
    """Of coordinates (n, K, 2) and scores (n, K), on maps of `limit` (n, 2) px along x and y."""
    xy, drawn = xy_px.double(), seen(score)
    covered = spans(xy - reach, xy + reach, limit[:, None], drawn)
    peak = torch.where(covered.any, score, 0.0)
    return JointPatches(xy, peak, covered)


def patch_values(
    patches: JointPatches, first: Tensor, patch_hw: tuple[int, int], falloff: float
) -> Tensor:
    """(n, K, h, w): what `patches` have in the pixels from `first` (n, K, 2) on, x and y."""
    across = _profile(patches, first, 0, patch_hw[1], falloff)
    down = _profile(patches, first, 1, patch_hw[0], falloff)
    return (patches.peak[..., None] * down)[..., None] * across[..., None, :]


def _profile(
    patches: JointPatches, first: Tensor, axis: int, length: int, falloff: float
) -> Tensor:
    """(n, K, length): the values along x (axis 0) or y from pixel `first` on."""
    step = torch.arange(length, device=first.device)
    start = first[..., axis, None]
    pixel = start + step
    inside = (pixel >= patches.spans.first[..., axis, None]) & (
        pixel <= patches.spans.last[..., axis, None]
    )
    offset = (start - patches.xy[..., axis, None]).float()
    return torch.where(inside, torch.exp2(-falloff * (offset + step).square()), 0.0)


def patch_pixels(
    first: Tensor, patch_hw: tuple[int, int], size_hw: tuple[int, int], number: Tensor
) -> Tensor:
    """(n, K, h, w): where the pixels from `first` (n, K, 2) on lie in maps (M, H, W), flattened.

    Pixels beyond a map's edge, which are 0, wrap around: all to one pixel
    would have the device write that one again and again.

    Args:
        number: (n, K) of each patch's map.
    """
    (height, width), device = size_hw, first.device
    rows = first[..., 1, None] + torch.arange(patch_hw[0], device=device)
    columns = first[..., 0, None] + torch.arange(patch_hw[1], device=device)
    lines = number[..., None] * height + rows % height
    return lines[..., None] * width + (columns % width)[..., None, :]


def put(maps: Tensor, pixels: Tensor, values: Tensor, combine: Combine) -> None:
    """Combine values into the pixels of maps that `pixels`, of the same shape, name."""
    if combine == "max":
        maps.view(-1).scatter_reduce_(0, pixels.view(-1), values.view(-1), "amax")
    else:
        maps.view(-1).index_add_(0, pixels.view(-1), values.view(-1))
