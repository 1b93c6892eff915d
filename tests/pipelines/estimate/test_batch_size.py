"""How many frames make a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from posemill.errors import DeviceOutOfMemory, InputError
from posemill.models.estimators.base import (
    EstimatorSpec,
    FrameEstimator,
    FrameResult,
    refuse_boxes,
    untracked,
)
from posemill.pipelines.estimate.batch_size import batch_size, fastest, require_batch
from posemill.pipelines.estimate.settings import BatchSettings
from posemill.schema import Float32, UInt8


class Counting(FrameEstimator[list[UInt8], int, None]):
    """Notes the sizes of its batches; its device has memory for `room` frames."""

    def __init__(self, max_batch: int, room: int) -> None:
        self.spec = EstimatorSpec("counting", "coco-17", max_batch)
        self.decoder = _nobody
        self.sizes: list[int] = []
        self._room = room

    def fingerprint(self) -> str:
        return "counting"

    def bucket(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        return size_wh

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[list[UInt8], list[None]]:
        refuse_boxes(self.spec, boxes_px)
        return list(frames), [None] * len(frames)

    def infer(self, batch: list[UInt8]) -> list[int]:
        self.sizes.append(len(batch))
        if len(batch) > self._room:
            raise DeviceOutOfMemory(f"{len(batch)} frames are too many")
        return [0] * len(batch)


def _nobody(raw: int, meta: None) -> FrameResult:
    return FrameResult(untracked(np.empty((0, 17, 2), np.float32), np.empty((0, 17), np.float32)))


def test_what_is_asked_for_needs_no_trial() -> None:
    estimator = Counting(16, room=16)
    assert batch_size(estimator, 5, "cuda") == 5
    assert batch_size(estimator, None, "cpu") == 16
    assert estimator.sizes == []


def test_the_trial_doubles_until_the_device_has_no_memory() -> None:
    estimator = Counting(64, room=9)
    assert batch_size(estimator, None, "cuda:0") in (1, 2, 4, 8)
    assert sorted(set(estimator.sizes)) == [1, 2, 4, 8, 16]


def test_a_trial_goes_no_further_than_the_estimator() -> None:
    estimator = Counting(6, room=100)
    batch_size(estimator, None, "cuda")
    assert max(estimator.sizes) == 4


def test_a_device_without_memory_for_one_frame_is_no_device() -> None:
    with pytest.raises(DeviceOutOfMemory, match="1 frames are too many"):
        batch_size(Counting(8, room=0), None, "cuda")


def test_the_smallest_batch_of_nearly_the_best_throughput_is_taken() -> None:
    # 95% of 252 are 239.4.
    assert fastest({1: 100.0, 2: 180.0, 4: 239.0, 8: 240.0, 16: 252.0}) == 8
    assert fastest({1: 100.0, 2: 101.0}) == 1
    assert fastest({1: 96.0, 2: 90.0, 4: 100.0}) == 1


def test_impossible_batches_are_refused() -> None:
    with pytest.raises(InputError, match="at least 1 frame, got 0"):
        BatchSettings(0)
    with pytest.raises(InputError, match="cannot be -1 processes"):
        BatchSettings(processes=-1)
    with pytest.raises(InputError, match=r"batches of 9 frames.*counting takes 8"):
        require_batch(Counting(8, 8).spec, 9)
    require_batch(Counting(8, 8).spec, 8)
