"""A frame estimator's steps side by side: in order, and with less where the device has no room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from posemill.errors import DeviceOutOfMemory, EnvironmentFault
from posemill.models.estimators.base import (
    EstimatorSpec,
    FrameEstimator,
    FrameResult,
    untracked,
)
from posemill.pipelines.estimate.stages import Stages, Tagged
from posemill.schema import Float32, UInt8


class Levels(FrameEstimator[list[int], int, None]):
    """Finds in each frame one person, at its level; its device has memory for `room` frames."""

    def __init__(self, room: int = 100) -> None:
        self.spec = EstimatorSpec("levels", "coco-17", 100)
        self.decoder = at_level
        self.tried: list[int] = []
        self.boxes: list[int] = []
        self._room = room

    def fingerprint(self) -> str:
        return "levels"

    def bucket(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        return size_wh

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[list[int], list[None]]:
        self.boxes += [len(boxes) for boxes in boxes_px or ()]
        return [int(frame[0, 0, 0]) for frame in frames], [None] * len(frames)

    def infer(self, batch: list[int]) -> list[int]:
        self.tried.append(len(batch))
        if len(batch) > self._room:
            raise DeviceOutOfMemory(f"{len(batch)} frames are too many")
        return batch


def at_level(raw: int, meta: None) -> FrameResult:
    return FrameResult(
        untracked(np.full((1, 17, 2), raw, np.float32), np.ones((1, 17), np.float32))
    )


def frames(start: int, stop: int) -> list[Tagged[int]]:
    """Frame n is of level n, and belongs to n."""
    return [Tagged(n, np.full((2, 2, 3), n, np.uint8)) for n in range(start, stop)]


def results(stages: Stages[int]) -> Iterator[tuple[int, int]]:
    while stages.busy:
        for tag, result in stages.oldest():
            yield tag, int(result.persons.xy_px[0, 0, 0])


@pytest.fixture(params=[0, 2], ids=["here", "in processes"])
def processes(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_results_come_in_the_order_of_the_batches_each_with_its_frame(processes: int) -> None:
    stages: Stages[int] = Stages(Levels(), 8, processes)
    stages.ready()
    for start, stop in ((0, 5), (5, 6), (6, 14), (14, 17)):
        stages.put(frames(start, stop))
    assert list(results(stages)) == [(n, n) for n in range(17)]
    stages.close()


def test_a_batch_without_room_is_halved_until_it_fits_and_so_are_the_next() -> None:
    estimator = Levels(room=3)
    stages: Stages[int] = Stages(estimator, 8, 0)
    stages.put(frames(0, 8))
    assert list(results(stages)) == [(n, n) for n in range(8)]
    assert estimator.tried == [8, 4, 2, 2, 4, 2, 2]
    assert stages.size == 2
    stages.put(frames(8, 10))
    assert list(results(stages)) == [(8, 8), (9, 9)]
    stages.close()


def test_an_odd_batch_loses_no_frame() -> None:
    estimator = Levels(room=2)
    stages: Stages[int] = Stages(estimator, 7, 0)
    stages.put(frames(0, 7))
    assert list(results(stages)) == [(n, n) for n in range(7)]
    assert estimator.tried == [7, 3, 1, 1, 1, 3, 1, 1, 1, 1]
    stages.close()


def test_a_device_without_room_for_a_frame_is_at_fault() -> None:
    stages: Stages[int] = Stages(Levels(room=0), 4, 0)
    stages.put(frames(0, 4))
    with pytest.raises(EnvironmentFault, match=r"single frame: 1 frames are too many.*--long-edge"):
        list(results(stages))
    stages.close()


def test_no_more_than_two_batches_are_wanted_on_the_device() -> None:
    stages: Stages[int] = Stages(Levels(), 4, 0)
    assert stages.takes_another
    stages.put(frames(0, 4))
    assert stages.takes_another
    stages.put(frames(4, 8))
    assert not stages.takes_another
    assert [tag for tag, _ in results(stages)] == list(range(8))
    assert stages.takes_another
    stages.close()


def test_boxes_of_frames_without_anybody_are_boxes_all_the_same() -> None:
    estimator = Levels()
    stages: Stages[int] = Stages(estimator, 4, 0)
    picture = np.zeros((2, 2, 3), np.uint8)
    boxes = [np.zeros((count, 4), np.float32) for count in (0, 2)]
    stages.put([Tagged(n, picture, boxes_px) for n, boxes_px in enumerate(boxes)])
    list(results(stages))
    assert estimator.boxes == [0, 2]
    stages.close()
