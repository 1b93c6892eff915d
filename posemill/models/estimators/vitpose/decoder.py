"""What the networks put out for a frame, to people; needs neither them nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from posemill.models.estimators.base import FrameResult, untracked
from posemill.models.estimators.dense_maps import frame_grid
from posemill.models.estimators.vitpose.crop import Crops
from posemill.models.estimators.vitpose.heatmaps import decode_heatmaps, paste_heatmaps
from posemill.schema import Float32

DENSE_STRIDE = 8
DENSE_LONG_EDGE = 640
"""Kept heatmaps have a cell every 8 pixels of the frame scaled to this: 80 x 45 for 16:9."""


@dataclass(frozen=True, slots=True)
class PersonHeatmaps:
    """Of the N people of one frame."""

    heatmaps: Float32  # (N, K, h, w)
    crops: Crops


@dataclass(frozen=True, slots=True)
class HeatmapDecoder:
    """Heatmaps to people; satisfies `base.FrameDecoder`. The meta is (width, height) in pixels."""

    keep_joints: bool

    def __call__(self, raw: PersonHeatmaps, meta: tuple[int, int]) -> FrameResult:
        xy, score = decode_heatmaps(raw.heatmaps)
        persons = untracked(raw.crops.to_source(xy), score)
        if not self.keep_joints:
            return FrameResult(persons)
        joints = paste_heatmaps(raw.heatmaps, raw.crops, meta, dense_grid(meta))
        return FrameResult(persons, {"joints": joints})


def dense_grid(size_wh: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the kept heatmaps of frames of (width, height) pixels."""
    width, height = size_wh
    scale = DENSE_LONG_EDGE / max(size_wh)
    return frame_grid((round(width * scale), round(height * scale)), DENSE_STRIDE)
