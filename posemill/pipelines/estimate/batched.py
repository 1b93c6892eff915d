"""Estimates videos together: frames of several in a batch, so that the device does not wait for
the end of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from posemill.models.estimators.base import FrameEstimator, FrameResult
from posemill.pipelines.decode import DecoderPool
from posemill.pipelines.estimate.gather import Gather
from posemill.pipelines.estimate.stages import Stages, Tagged
from posemill.pipelines.estimate.video_read import VideoRead
from posemill.pipelines.estimate.video_source import VideoSource
from posemill.transforms.tracking import Tracker, TrackSettings


@dataclass(frozen=True, slots=True)
class _Tracked:
    """A video whose frames are read, and who is who in it."""

    read: VideoRead
    tracker: Tracker

    def add(self, result: FrameResult) -> None:
        persons = result.persons
        slot = self.tracker.update(persons.xy_px, persons.score)
        self.read.add(replace(result, persons=replace(persons, slot=slot)))


class BatchedVideos:
    """Reads videos as they are decoded, and estimates what frames there are.

    A batch is as large as it may be while the device is busy; an idle device gets
    what is there, so that nobody waits for frames that wait for room.
    """

    def __init__(
        self,
        estimator: FrameEstimator[Any, Any, Any],
        pool: DecoderPool,
        stages: Stages[_Tracked],
        source: VideoSource,
        tracks: TrackSettings,
    ) -> None:
        self._estimator, self._pool, self._stages = estimator, pool, stages
        self._source = source
        self._tracks = tracks
        self._reading: list[_Tracked] = []
        self._gather = Gather[Tagged[_Tracked]]()

    def run(self) -> None:
        """Until there is no further video, and all are finished."""
        while self._is_busy or not self._source.has_ended:
            self._reading += [_Tracked(read, Tracker(self._tracks)) for read in self._source.more()]
            while self._stages.finished():
                self._hand_out()
            self._read_what_is_there()
            self._do_next()

    @property
    def _is_busy(self) -> bool:
        return bool(self._reading or self._gather or self._stages.busy)

    def _do_next(self) -> None:
        """Give the device a batch, or wait for what must come first."""
        if self._gather.is_due(self._stages.size) and self._stages.takes_another:
            self._stages.put(self._gather.take(self._stages.size))
        elif self._stages.busy:
            self._hand_out()
        elif self._gather:
            self._stages.put(self._gather.take(self._stages.size))
        elif self._reading:
            self._pool.wait_for_any([one.read.clip for one in self._reading])

    def _hand_out(self) -> None:
        for one, result in self._stages.oldest():
            one.add(result)

    def _read_what_is_there(self) -> None:
        """A frame of each video in turn, until there is a batch or none has any."""
        while not self._gather.is_due(self._stages.size):
            ready = [one for one in self._reading if self._is_ready(one.read)]
            if not ready and not self._pool.poll():
                return
            for one in ready:
                self._read(one)

    @staticmethod
    def _is_ready(read: VideoRead) -> bool:
        if read.clip.is_fetched or read.clip.events:
            read.begin()
        return bool(read.clip.events)

    def _read(self, one: _Tracked) -> None:
        frame = one.read.next_frame()
        if frame is None:
            self._reading.remove(one)
            return
        height, width = frame.rgb.shape[:2]
        tagged = Tagged(one, frame.rgb, one.read.boxes_px(frame))
        self._gather.put(self._estimator.bucket((width, height)), tagged)
