"""Gaussians of joints as small patches of pixels, for many people at once.

The same as the compiled loops of `transforms.rasterize.kernels`, by whole
tensors: where a patch ends is computed in float64, as there, and values in
float32. Nothing here asks the device for a number, so the host never waits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from posemill.transforms.rasterize import MIN_SIGMA_PX, Combine
from posemill.transforms.rasterize.kernels import MIN_SCORE

PIXELS_AT_ONCE = 1 << 22
"""Of patches in memory, at some 60 bytes each."""


@dataclass(frozen=True)
class Gaussian:
    """How joints and limbs are drawn; the settings of `transforms.rasterize.draw_joints`.

    Raises:
        ValueError: a sigma or a truncation out of range, or an unknown `combine`.
    """

    sigma: float
    truncate: float = 3.0
    combine: Combine = "max"

    def __post_init__(self) -> None:
        if not (MIN_SIGMA_PX <= self.sigma < math.inf and 0.0 < self.truncate <= 10.0):
            raise ValueError(
                f"sigma must be {MIN_SIGMA_PX} px or more and truncate above 0 and at most 10 "
                f"sigmas, got {self.sigma} and {self.truncate}"
            )
        if self.combine not in ("max", "sum"):
            raise ValueError(f"combine must be 'max' or 'sum', got {self.combine!r}")

    @property
    def reach(self) -> float:
        """Where a Gaussian ends, px."""
        return self.truncate * self.sigma

    @property
    def falloff(self) -> float:
        """a, where exp(-d^2 / (2 sigma^2)) = 2^(-a d^2)."""
        return 1.0 / (2.0 * math.log(2.0) * self.sigma**2)

    def patch_hw(self, size_hw: tuple[int, int]) -> tuple[int, int]:
        """The most pixels of maps of `size_hw` that a joint reaches, along y and x."""
        height, width = (int(min(2.0 * self.reach, size - 1.0)) + 1 for size in size_hw)
        return height, width


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


def put(maps: Tensor, pixels: Tensor, values: Tensor, combine: Literal["max", "sum"]) -> None:
    """Combine values into the pixels of maps that `pixels`, of the same shape, name."""
    if combine == "max":
        maps.view(-1).scatter_reduce_(0, pixels.view(-1), values.view(-1), "amax")
    else:
        maps.view(-1).index_add_(0, pixels.view(-1), values.view(-1))


def owners(pointers: Tensor, items: Tensor) -> Tensor:
    """Which span n of `pointers` (N + 1,) each of `items` is in: ptr[n] <= item < ptr[n + 1]."""
    return torch.searchsorted(pointers[1:], items, right=True)
