"""Limbs as Gaussians around segments, drawn where the tensors are: `rasterize.draw_limbs`.

A limb is drawn line by line: rows of pixels where it is steep, columns where it
is flat, so that a line crosses it at 45 degrees or more and few pixels of the
line are near. How long limbs are only the device knows, so every limb gets as
many lines as the map's longer side has; those beyond its end add nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posemill.models.rasterize.batch import PlacedBatch
from posemill.models.rasterize.gaussian import Gaussian
from posemill.models.rasterize.patches import Spans, put, seen, spans
from posemill.models.rasterize.rows import PIXELS_AT_ONCE, Rows, blocks
from posemill.models.rasterize.volumes import map_numbers, volume_shape
from posemill.transforms.rasterize import Combine
from posemill.transforms.rasterize.checks import Limbs, checked_limbs

# Pixels below 2^-20 of a limb's score are left out, as by the compiled loops.
_MOST_POWER = 20.0


class DrawLimbs(nn.Module):
    """Volumes of limb maps, within 1e-5 of the compiled `draw_limbs`.

    Args:
        limbs: L pairs of different joints of `num_keypoints`.
        sigma, truncate, combine: see `transforms.rasterize.draw_limbs`.

    Raises:
        ValueError: a setting out of range, or limbs of no such joints.
    """

    pairs: Tensor

    def __init__(
        self,
        limbs: Limbs,
        num_keypoints: int,
        sigma: float,
        truncate: float = 3.0,
        combine: Combine = "max",
        *,
        pixels_at_once: int = PIXELS_AT_ONCE,
    ) -> None:
        super().__init__()
        self.gaussian = Gaussian(sigma, truncate, combine)
        self.pixels_at_once = pixels_at_once
        self.num_keypoints = num_keypoints
        pairs = torch.from_numpy(checked_limbs(limbs, num_keypoints).copy())
        self.register_buffer("pairs", pairs, persistent=False)

    @torch.no_grad()
    def forward(self, batch: PlacedBatch) -> Tensor:
        """(B, L, T, H, W) float32, on the device of the module and of the batch.

        Raises:
            ValueError: clips of different numbers of frames, or other joints.
        """
        if batch.num_keypoints != self.num_keypoints:
            raise ValueError(
                f"limbs of {self.num_keypoints} joints need poses of as many, "
                f"got {batch.num_keypoints}"
            )
        num_limbs, num_lines = len(self.pairs), max(batch.size_hw)
        maps = torch.zeros(
            volume_shape(batch, num_limbs, time_first=False), device=batch.score.device
        )
        scale = math.sqrt(self.gaussian.falloff)
        radius = 1.000001 * math.sqrt(_MOST_POWER) / scale  # a little more: pixels are looked at
        num_lanes = min(int(2.0 * math.sqrt(2.0) * radius) + 1, num_lines)
        for rows in blocks(batch, num_limbs * num_lines * num_lanes, self.pixels_at_once):
            limbs = _segments(rows, self.pairs, self.gaussian.reach)
            lines = _lines(limbs, radius, num_lines)
            number = map_numbers(rows, batch, num_limbs, time_first=False)
            pixels = _pixels(limbs, lines, number, num_lanes, batch.size_hw)
            put(maps, pixels, _values(limbs, lines, num_lanes, scale), self.gaussian.combine)
        return maps


class _Segments(NamedTuple):
    """L limbs of n people; their two axes are the one that they run along most, and the other."""

    start: Tensor  # (n, L, 2) float64
    unit: Tensor  # (n, L, 2) float64, from start to end
    length: Tensor  # (n, L) float64, px
    steep: Tensor  # (n, L): whether the first axis is y
    peak: Tensor  # (n, L) float32
    spans: Spans  # (n, L, 2): the pixels of the ends' bounding box and around it


def _segments(rows: Rows, pairs: Tensor, reach: float) -> _Segments:
    a, b = (rows.xy_px.index_select(1, ends).double() for ends in pairs.unbind(1))
    scores = [rows.score.index_select(1, ends) for ends in pairs.unbind(1)]
    drawn = seen(scores[0]) & seen(scores[1]) & (a + b).isfinite().all(dim=-1)
    a, b = torch.where(drawn[..., None], a, 0.0), torch.where(drawn[..., None], b, 0.0)
    x, y = (b - a).unbind(-1)
    length = torch.hypot(x, y)
    long = length > 0
    x, y = torch.where(long, x / length, 1.0), torch.where(long, y / length, 0.0)
    steep = y.abs() > x.abs()

    def along_first(vector: Tensor) -> Tensor:
        return torch.where(steep[..., None], vector.flip(-1), vector)

    low, high = torch.minimum(a, b) - reach, torch.maximum(a, b) + reach
    covered = spans(low, high, rows.limit[:, None], drawn)
    return _Segments(
        start=along_first(a),
        unit=along_first(torch.stack([x, y], dim=-1)),
        length=length,
        steep=steep,
        peak=torch.where(covered.any, torch.minimum(*scores), 0.0),
        spans=Spans(along_first(covered.first), along_first(covered.last)),
    )


class _Lines(NamedTuple):
    """N lines of pixels across each limb, (n, L, N) each."""

    number: Tensor  # int64: the line's place on the first axis
    first: Tensor  # int64: its first pixel near the limb, on the second axis
    near: Tensor  # int64: how many of its pixels are, perhaps none
    aside: Tensor  # float64, px: the first pixel's distance to the limb's axis, signed
    forward: Tensor  # float64, px: from the limb's start to the first pixel, along the limb


def _lines(limbs: _Segments, radius: float, num_lines: int) -> _Lines:
    """The pixels within `radius` of the limbs' axes."""
    start, unit = (each[..., None, :].unbind(-1) for each in (limbs.start, limbs.unit))
    first, last = (each[..., None, :].unbind(-1) for each in limbs.spans)
    number = first[0] + torch.arange(num_lines, device=limbs.peak.device)
    along = number - start[0]  # px
    middle, half = start[1] + along * (unit[1] / unit[0]), radius / unit[0].abs()
    low = torch.maximum(middle - half, first[1]).ceil()
    high = torch.minimum(middle + half, last[1]).floor()
    near = torch.where(number <= last[0], (high - low + 1.0).clamp(min=0.0), 0.0)
    low = low.clamp(0, num_lines)
    across = low - start[1]
    return _Lines(
        number=number,
        first=low.long(),
        near=near.long(),
        aside=along * unit[1] - across * unit[0],
        forward=along * unit[0] + across * unit[1],
    )


def _values(limbs: _Segments, lines: _Lines, num_lanes: int, scale: float) -> Tensor:
    """(n, L, N, lanes): of the pixels of each line, zeros after those near the limb.

    `scale`, px^-1, times a distance is d in 2^-(d^2).
    """
    lane = torch.arange(num_lanes, device=limbs.peak.device, dtype=torch.float32)
    step_forward, step_aside = (
        (scale * limbs.unit[..., axis, None, None]).float() * lane for axis in (1, 0)
    )
    before = (-scale * lines.forward).float()[..., None] - step_forward
    beyond = (scale * (lines.forward - limbs.length[..., None])).float()[..., None] + step_forward
    aside = (scale * lines.aside).float()[..., None] - step_aside
    power = aside.square() + torch.maximum(before, beyond).clamp(min=0.0).square()
    inside = (power <= _MOST_POWER) & (lane < lines.near[..., None])
    return torch.where(inside, limbs.peak[..., None, None] * torch.exp2(-power), 0.0)


def _pixels(
    limbs: _Segments, lines: _Lines, number: Tensor, num_lanes: int, size_hw: tuple[int, int]
) -> Tensor:
    """(n, L, N, lanes): where the pixels lie in maps of `number` (n, L), see `patch_pixels`."""
    height, width = size_hw
    steep = limbs.steep[..., None]
    first_axis = (lines.number % torch.where(steep, height, width)) * torch.where(steep, width, 1)
    lane = torch.arange(num_lanes, device=number.device)
    second_axis = (lines.first[..., None] + lane) % torch.where(steep, width, height)[..., None]
    start = number[..., None] * (height * width) + first_axis
    return start[..., None] + second_axis * torch.where(steep, 1, width)[..., None]
