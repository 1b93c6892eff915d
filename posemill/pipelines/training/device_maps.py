"""Batches as the loop takes them: maps that were loaded, or that are drawn where the network is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from posemill.models.rasterize import draw_module
from posemill.pipelines.data import Batch, ClipSource
from posemill.transforms.outputs import OutputSpec


@dataclass(frozen=True)
class LoadedMaps:
    """Of a loader that renders or reads maps."""

    specs: Sequence[OutputSpec]
    """Of the arrays of a batch."""

    def __call__(self, batch: Any) -> Batch:
        """The `Batch` as it is: its parts travel to the device one by one."""
        stored: Batch = batch
        return stored


@dataclass(frozen=True)
class DrawnMaps:
    """Of a loader that ships coordinates, a few kilobytes a clip."""

    specs: Sequence[OutputSpec]
    draw: nn.Module
    device: torch.device
    views_per_clip: int

    @classmethod
    def of(cls, source: ClipSource, device: torch.device, views_per_clip: int) -> DrawnMaps:
        """Of a source's recipe."""
        values = [
            replace(spec, dtype="float32", scale_factor=None, add_offset=None)
            for spec in source.specs
        ]
        draw = draw_module(source.recipe, source.skeleton).to(device)
        return cls(values, draw, device, views_per_clip)

    def __call__(self, batch: Any) -> Batch:
        """Maps of a `RaggedBatch` on the device, (B, ...) or (B, views, ...)."""
        with torch.no_grad():
            drawn = self.draw(batch.placed.to(self.device, non_blocking=True))
        if self.views_per_clip > 1:
            shape = (len(batch.labels), self.views_per_clip)
            drawn = {name: maps.unflatten(0, shape) for name, maps in drawn.items()}
        return Batch(drawn, batch.labels, batch.number, batch.empty)
