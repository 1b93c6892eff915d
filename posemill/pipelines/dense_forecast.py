"""How large the dense maps would become that an extraction is to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from posemill.models.estimators.base import Estimator
from posemill.pipelines.pose_settings import PoseSettings
from posemill.pipelines.rates import Rates
from posemill.storage.video import FrameOptions
from posemill.transforms.sample import DenseKind

ASSUMED_SIZE_WH = (1280, 720)
ASSUMED_FPS = 25.0
"""Frames and their rate, of which a catalog says nothing."""


@dataclass(frozen=True, slots=True)
class DenseForecast:
    """Of the videos to do."""

    num_frames: float
    shapes: Mapping[DenseKind, tuple[int, int, int]]
    """By kind (channels, h, w) of one frame of the assumed size, in float16."""
    measured_bytes: float | None
    """A frame takes in this store, compressed; None where it holds none yet."""
    size_wh: tuple[int, int]
    """Assumed, in the frames that the estimator gets."""
    frames_are_measured: bool
    """Whether the frames in a second are known of this store, not assumed."""

    @property
    def bytes_per_frame(self) -> float:
        """As measured, else as assumed and before compression."""
        if self.measured_bytes is not None:
            return self.measured_bytes
        return 2.0 * sum(prod(shape) for shape in self.shapes.values())

    @property
    def num_bytes(self) -> float:
        return self.num_frames * self.bytes_per_frame

    def as_dict(self) -> dict[str, Any]:
        return {
            "frames": round(self.num_frames),
            "shapes": {kind: list(shape) for kind, shape in self.shapes.items()},
            "bytes_per_frame": round(self.bytes_per_frame),
            "expected_bytes": round(self.num_bytes),
            "bytes_are_measured": self.measured_bytes is not None,
            "assumed_frame_size": list(self.size_wh),
            "frames_are_measured": self.frames_are_measured,
        }


def forecast_dense(
    estimator: Estimator, settings: PoseSettings, footage_seconds: float, rates: Rates
) -> DenseForecast | None:
    """Of so much footage; None where no maps are to be kept."""
    keep, frames = settings.options.keep, settings.decoding.frames
    if not keep:
        return None
    size_wh = _scaled(ASSUMED_SIZE_WH, frames.long_edge)
    shapes = estimator.dense_shapes(size_wh)
    measured = rates.frames is not None
    per_second = _assumed_rate(frames) if rates.frames is None else rates.frames
    return DenseForecast(
        num_frames=footage_seconds * per_second,
        shapes={kind: shapes[kind] for kind in sorted(keep)},
        measured_bytes=rates.dense_bytes_per_frame,
        size_wh=size_wh,
        frames_are_measured=measured,
    )


def _scaled(size_wh: tuple[int, int], long_edge: int | None) -> tuple[int, int]:
    factor = min(1.0, (long_edge or max(size_wh)) / max(size_wh))
    width, height = (max(round(side * factor), 1) for side in size_wh)
    return width, height


def _assumed_rate(frames: FrameOptions) -> float:
    if frames.fps is not None:
        return min(frames.fps, ASSUMED_FPS)
    return ASSUMED_FPS / frames.frame_step
