"""The poses of one shard of videos: decode, estimate, judge, commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np

from posemill.errors import ContentError, EnvironmentFault, PosemillError
from posemill.models.estimators.base import Estimator, EstimatorOptions
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.pose_rows import PoseRows
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask
from posemill.schema import UInt8, Video, VideoStatus
from posemill.storage.poses import PoseStore, VideoRecord
from posemill.storage.video import VideoReader, open_video


def pose_configuration(estimator: Estimator, options: EstimatorOptions) -> dict[str, Any]:
    """All that decides the content of a pose store; the catalog and its labels do not."""
    return {
        "stage": "extract",
        "estimator": estimator.spec.name,
        "fingerprint": estimator.fingerprint(),
        "skeleton": estimator.spec.skeleton,
        "device_class": options.device.partition(":")[0],
        "reproducible": options.reproducible,
        # Sums are split by threads, so equal bits need equal threads.
        "threads": options.threads if options.reproducible else None,
        "decoder": f"opencv-{cv2.__version__}",
    }


class ExtractWorker:
    """Extracts shards in one process; satisfies `tasks.ShardWorker`."""

    def __init__(
        self,
        source_root: Path,
        moved: Mapping[str, str],
        out: Path,
        estimator: str,
        options: EstimatorOptions,
    ) -> None:
        self._source_root = source_root
        self._moved = moved
        self._store = PoseStore.open(out)
        self._shards = {
            shard_id: videos
            for plan in self._store.plans()
            for shard_id, videos in plan.shards().items()
        }
        self._estimator = create_estimator(estimator, options)
        self._store.require_configuration(pose_configuration(self._estimator, options))

    def ready(self) -> None:
        """The source is there, and one grey frame goes through the estimator."""
        self._require_source()
        self._probe()

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        started = monotonic()
        records = []
        for video in self._videos(task):
            emit(ItemStarted(task.shard_id, video.id))
            record = self._extract(video)
            records.append(record)
            emit(ItemDone(task.shard_id, video.id, record.status, record.frames_decoded))
        won = self._store.write_shard(task.shard_id, records, generation=task.generation)
        return ShardResult(
            shard_id=task.shard_id,
            outcome=ShardOutcome.COMMITTED if won else ShardOutcome.LOST_RACE,
            num_items=len(records),
            num_quarantined=sum(r.status is VideoStatus.QUARANTINED for r in records),
            num_frames=sum(record.frames_decoded for record in records),
            seconds=monotonic() - started,
        )

    def _videos(self, task: ShardTask) -> tuple[Video, ...]:
        videos = self._shards[task.shard_id]
        if task.items is None:
            return videos
        wanted = set(task.items)
        return tuple(video for video in videos if video.id in wanted)

    def _extract(self, video: Video) -> VideoRecord:
        """One video to its record; what it contains never raises.

        Raises:
            EnvironmentFault: the source is gone, or the estimator works no more.
        """
        path = Path(self._moved.get(video.id, video.uri))
        if not path.exists():
            self._require_source()
            message = f"{path} is not there; index the folder again, or restore the file"
            return _without_poses(video, VideoStatus.MISSING, "missing", message)
        try:
            return extract_video(video, path, self._estimator)
        except ContentError as error:
            return _without_poses(video, VideoStatus.QUARANTINED, error.reason, str(error))
        except (PosemillError, OSError):
            raise
        except Exception:  # noqa: BLE001 - decided by the second try and the probe
            return self._extract_again(video, path)

    def _extract_again(self, video: Video, path: Path) -> VideoRecord:
        """Try a video that failed in an unforeseen way alone, while the estimator works.

        Raises:
            EnvironmentFault: the estimator fails without the video, too.
        """
        self._probe()
        try:
            return extract_video(video, path, self._estimator)
        except (PosemillError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - the video is named with what it caused
            self._probe()
            message = f"{path}: {type(error).__name__}: {error}"
            return _without_poses(video, VideoStatus.QUARANTINED, "failed", message)

    def _probe(self) -> None:
        """A frame that is known to be good goes through the estimator."""
        grey = np.full((64, 64, 3), 128, np.uint8)
        try:
            list(self._estimator.estimate([grey]))
        except Exception as error:
            raise EnvironmentFault(
                f"the estimator {self._estimator.spec.name} fails on a plain grey frame, so the "
                f"device or its software is at fault: {type(error).__name__}: {error}"
            ) from error

    def _require_source(self) -> None:
        """An unmounted disk must not make every video count as missing."""
        root = self._source_root
        if not root.is_dir() or not any(root.iterdir()):
            raise EnvironmentFault(
                f"the videos' folder {root} is not there or empty; mount it, or index the "
                "videos where they are now"
            )


def extract_video(video: Video, path: Path, estimator: Estimator) -> VideoRecord:
    """Decode a video, estimate its poses and judge it.

    Raises:
        ContentError: not one frame can be decoded.
        FileNotFoundError: the file is not there.
        EnvironmentFault: the file is there and cannot be read.
    """
    with open_video(
        path, start_seconds=video.start_seconds, end_seconds=video.end_seconds
    ) as reader:
        rows, pts_seconds = PoseRows(estimator.spec.skeleton), list[float]()
        for persons in estimator.estimate(_frames(reader, pts_seconds)):
            rows.append(persons)
        declared = reader.frames_declared
        poses = rows.sequence(pts_seconds, reader.width, reader.height, declared)
        status = reader.status()
    if status is VideoStatus.OK and poses.num_rows == 0:
        status = VideoStatus.EMPTY
    damaged = status is VideoStatus.DAMAGED
    return VideoRecord(
        video_id=video.id,
        status=status,
        reason="truncated" if damaged else "",
        message=f"{len(pts_seconds)} of {declared} declared frames decode" if damaged else "",
        identity=video.identity,
        poses=poses,
        frames_decoded=len(pts_seconds),
        frames_declared=declared,
    )


def _frames(reader: VideoReader, pts_seconds: list[float]) -> Iterator[UInt8]:
    """The reader's frames; their times are appended to `pts_seconds` on the way."""
    for frame in reader:
        pts_seconds.append(frame.pts_seconds)
        yield frame.rgb


def _without_poses(video: Video, status: VideoStatus, reason: str, message: str) -> VideoRecord:
    return VideoRecord(
        video_id=video.id,
        status=status,
        reason=reason,
        message=message,
        identity=video.identity,
        poses=None,
        frames_decoded=0,
        frames_declared=0,
    )
