"""What a supervised child does with videos: have them decoded, estimate, judge."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import EnvironmentFault
from posemill.models.estimators.base import FrameEstimator, trial_boxes
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.decode import DecoderPool, Request
from posemill.pipelines.estimate.batch_size import batch_size
from posemill.pipelines.estimate.batched import BatchedVideos
from posemill.pipelines.estimate.sequential import estimate_in_turn
from posemill.pipelines.estimate.stages import Stages
from posemill.pipelines.estimate.video_read import VideoRead
from posemill.pipelines.estimate.video_source import VideoSource
from posemill.pipelines.pose_settings import PoseSettings
from posemill.pipelines.pose_shard import without_poses
from posemill.pipelines.supervise.messages import Item, Journal
from posemill.schema import Video, VideoStatus
from posemill.storage.dense.halves import to_halves
from posemill.storage.dense.spool import DenseSpool
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import require_root
from posemill.storage.files.location import Location
from posemill.storage.pose_records import VideoRecord

_GREY = np.full((64, 64, 3), 128, np.uint8)


class VideoJob:
    """Turns videos into records; satisfies `supervise.messages.Job`.

    The next videos are decoded while the poses of others are estimated; a video is
    begun when its file is here, and what befell its decoder before is told
    then. So those that are begun are those that may be at fault.
    """

    def __init__(
        self,
        source_root: str,
        settings: PoseSettings,
        scratch: Path | None,
    ) -> None:
        """`scratch` is where dense maps go, where any are to be kept."""
        self._source_root, self._settings, self._scratch = source_root, settings, scratch
        self._cache = FileCache.of_environment()
        self._pool = DecoderPool(settings.decoding.processes)
        self._estimator = create_estimator(settings.estimator, settings.options)
        self._stages: Stages[Any] | None = None
        self.facts = settings.configuration(self._estimator)
        """The configuration of the poses that this process makes."""

    def probe(self) -> None:
        """The source is there, the decoders run, and one grey frame goes through the estimator."""
        require_root(self._source_root)
        self._pool.ready()
        try:
            if isinstance(self._estimator, FrameEstimator):
                _see_grey(self._estimator)
                batching = self._settings.batching
                size = batch_size(self._estimator, batching.frames, self._settings.options.device)
                self._stages = Stages(self._estimator, size, batching.processes)
                self._stages.ready()
            else:
                list(self._estimator.estimate([_GREY]))
        except Exception as error:
            raise EnvironmentFault(
                f"the estimator {self._estimator.spec.name} fails on a plain grey frame, so the "
                f"device or its software is at fault: {type(error).__name__}: {error}"
            ) from error

    def work(self, items: Iterable[Item | None], journal: Journal) -> None:
        videos = (None if item is None else self._ask(item, journal) for item in items)
        source = VideoSource(videos, self._pool)
        with self._pool.reading(journal.beat):
            if isinstance(self._estimator, FrameEstimator) and self._stages is not None:
                BatchedVideos(
                    self._estimator, self._pool, self._stages, source, self._settings.tracks
                ).run()
            else:
                estimate_in_turn(self._estimator, source)

    def _ask(self, item: Item, journal: Journal) -> VideoRead:
        """Have an item's video decoded."""
        video, location, people = item.payload
        request = Request(
            item.id,
            location,
            self._cache,
            video.start_seconds,
            video.end_seconds,
            self._settings.decoding.frames,
            self._settings.decoding.limits,
        )
        return VideoRead(
            item.id,
            video,
            self._pool.ask(request),
            self._estimator.spec.skeleton,
            people,
            self._settings.tracks,
            journal,
            lambda: self._missing(video, location),
            None if self._scratch is None else DenseSpool(self._scratch, item.id),
        )

    def _missing(self, video: Video, location: Location) -> VideoRecord:
        require_root(self._source_root)
        message = f"{location} is not there; index the videos again, or restore the file"
        return without_poses(video, VideoStatus.MISSING, "missing", message)


def _see_grey(estimator: FrameEstimator[Any, Any, Any]) -> None:
    """Raises:
    ValueError: the dense maps of a grey frame are not finite: no video is at fault.
    """
    for result in estimator.results([_GREY], trial_boxes(estimator.spec, [_GREY])):
        for maps in result.dense.values():
            to_halves(maps)
