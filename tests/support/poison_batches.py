"""An estimator plug-in that looks at batches of frames, and fails as their widths say.

`poison.plant` registers it. It finds one person a frame from the frame's
brightness, as `poison` does, so that their poses are equal.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from poison import ESTIMATOR_FAULTS, PROBE_WIDTH, commit

from posemill.errors import DeviceOutOfMemory, EnvironmentFault
from posemill.models.estimators.base import (
    EstimatorOptions,
    EstimatorSpec,
    FrameEstimator,
    FrameResult,
    refuse_boxes,
    untracked,
)
from posemill.schema import Float32, UInt8
from posemill.transforms.skeletons import COCO_17

MAX_BATCH = 8
_FATAL_LEVEL = 16 * 10 + 4
"""Of a frame's brightness: `poison.write_video` has its eleventh so, by when there were batches."""


def create(options: EstimatorOptions) -> PoisonBatches:
    """Of the parameters, `room` is how many frames the device has memory for, `log` a file that
    gets a line of the widths of each batch, `broken` a file while which is there it fails, and
    `warming` the seconds that each of the first three batches takes, so that frames gather."""
    return PoisonBatches(options)


class PoisonBatches(FrameEstimator[list[UInt8], float, None]):
    """Frames of any size go together."""

    def __init__(self, options: EstimatorOptions) -> None:
        size = 1 if options.reproducible else MAX_BATCH
        self.spec = EstimatorSpec("poison_batches", COCO_17.name, size)
        self.decoder = decode
        self._room = int(options.parameters.get("room", MAX_BATCH))
        self._log = Path(options.parameters.get("log", os.devnull))
        self._slow = [float(options.parameters.get("warming", 0.0))] * 3
        self._broken = Path(options.parameters.get("broken", "/nowhere"))

    def fingerprint(self) -> str:
        return "poison_batches"

    def bucket(self, size_wh: tuple[int, int]) -> str:
        del size_wh
        return "all"

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[list[UInt8], list[None]]:
        refuse_boxes(self.spec, boxes_px)
        return [frame.copy() for frame in frames], [None] * len(frames)

    def infer(self, batch: list[UInt8]) -> list[float]:
        widths = [frame.shape[1] for frame in batch]
        with self._log.open("a") as log:
            log.write(" ".join(map(str, widths)) + "\n")
        if widths == [PROBE_WIDTH]:
            return [0.0]
        if self._slow:
            time.sleep(self._slow.pop())
        if len(batch) > self._room:
            raise DeviceOutOfMemory(f"{len(batch)} frames are {self._room} at most")
        if self._broken.exists():
            raise EnvironmentFault("the device is lost: see its log")
        for frame in batch:
            if frame.mean() >= _FATAL_LEVEL:
                commit(ESTIMATOR_FAULTS.get(frame.shape[1], ""))
        return [float(frame.mean(dtype=np.float64)) for frame in batch]


def decode(raw: float, meta: None) -> FrameResult:
    return FrameResult(
        untracked(np.full((1, 17, 2), raw / 4, np.float32), np.ones((1, 17), np.float32))
    )
