"""An estimator plug-in whose dense maps are not what they should be, by the width of a frame.

`poison.plant` registers it. It finds nobody, and needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posemill.models.estimators.base import (
    EstimatorOptions,
    EstimatorSpec,
    FrameEstimator,
    FrameResult,
    refuse_boxes,
    untracked,
)
from posemill.schema import Float32, UInt8
from posemill.transforms.sample import DenseKind
from posemill.transforms.skeletons import COCO_17

NOT_A_NUMBER_WIDTH, FAR_OFF_WIDTH, GREY_WIDTH = 144, 160, 64
_VALUES = {NOT_A_NUMBER_WIDTH: np.nan, FAR_OFF_WIDTH: 1e9}


def create(options: EstimatorOptions) -> OddMaps:
    return OddMaps(broken="broken" in options.parameters)


@dataclass(frozen=True)
class _Decoder:
    broken: bool

    def __call__(self, raw: int, _meta: tuple[int, int]) -> FrameResult:
        value = np.nan if self.broken and raw == GREY_WIDTH else _VALUES.get(raw, raw)
        nobody = untracked(np.empty((0, 17, 2), np.float32), np.empty((0, 17), np.float32))
        return FrameResult(nobody, {"joints": np.full((1, 2, 3), value, np.float32)})


class OddMaps(FrameEstimator[list[int], int, tuple[int, int]]):
    """One joint's map of 2 x 3 cells, whose value is the frame's width, or a fault."""

    def __init__(self, *, broken: bool) -> None:
        """A `broken` one fails on a grey frame, too."""
        self.spec = EstimatorSpec("odd_maps", COCO_17.name, 4)
        self.decoder = _Decoder(broken)

    def fingerprint(self) -> str:
        return "odd_maps"

    def dense_shapes(self, size_wh: tuple[int, int]) -> Mapping[DenseKind, tuple[int, int, int]]:
        del size_wh
        return {"joints": (1, 2, 3)}

    def bucket(self, size_wh: tuple[int, int]) -> int:
        del size_wh
        return 0

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[list[int], list[tuple[int, int]]]:
        refuse_boxes(self.spec, boxes_px)
        return [frame.shape[1] for frame in frames], [frame.shape[:2] for frame in frames]

    def infer(self, batch: list[int]) -> list[int]:
        return batch
