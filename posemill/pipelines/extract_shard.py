"""The poses of one shard of videos: decode, estimate, judge, commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np

from posemill.errors import ContentError
from posemill.models.estimators.base import Estimator, EstimatorOptions, Persons
from posemill.models.estimators.registry import create_estimator
from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask
from posemill.schema import PoseSequence, UInt8, Video, VideoStatus
from posemill.storage.poses import PoseStore, VideoRecord
from posemill.storage.video import VideoReader, open_video
from posemill.transforms.skeletons import get_skeleton


def pose_configuration(estimator: Estimator, options: EstimatorOptions) -> dict[str, Any]:
    """All that decides the content of a pose store; the catalog and its labels do not."""
    return {
        "stage": "extract",
        "estimator": estimator.spec.name,
        "fingerprint": estimator.fingerprint(),
        "skeleton": estimator.spec.skeleton,
        "device_class": options.device.partition(":")[0],
        "reproducible": options.reproducible,
        "decoder": f"opencv-{cv2.__version__}",
    }


class ExtractWorker:
    """Extracts shards in one process; satisfies `tasks.ShardWorker`."""

    def __init__(
        self, catalog_root: str, out: Path, estimator: str, options: EstimatorOptions
    ) -> None:
        self._catalog_root = catalog_root
        self._store = PoseStore.open(out)
        self._shards = {
            shard_id: videos
            for plan in self._store.plans()
            for shard_id, videos in plan.shards().items()
        }
        self._estimator = create_estimator(estimator, options)
        self._store.require_configuration(pose_configuration(self._estimator, options))

    def ready(self) -> None:
        """One grey frame through the estimator proves that the device works."""
        grey = np.full((64, 64, 3), 128, np.uint8)
        list(self._estimator.estimate([grey]))

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        started = monotonic()
        records = []
        for video in self._shards[task.shard_id]:
            emit(ItemStarted(task.shard_id, video.id))
            record = self._extract(video)
            records.append(record)
            emit(ItemDone(task.shard_id, video.id, record.status, record.frames_decoded))
        won = self._store.write_shard(task.shard_id, records)
        return ShardResult(
            shard_id=task.shard_id,
            outcome=ShardOutcome.COMMITTED if won else ShardOutcome.LOST_RACE,
            num_items=len(records),
            num_quarantined=sum(r.status is VideoStatus.QUARANTINED for r in records),
            num_frames=sum(record.frames_decoded for record in records),
            seconds=monotonic() - started,
        )

    def _extract(self, video: Video) -> VideoRecord:
        """One video to its record; what it contains never raises."""
        path = Path(self._catalog_root, video.uri)
        try:
            return extract_video(video, path, self._estimator)
        except FileNotFoundError:
            message = f"{path} is not there any more; index the folder again, or restore the file"
            return _without_poses(video, VideoStatus.MISSING, "missing", message)
        except ContentError as error:
            return _without_poses(video, VideoStatus.QUARANTINED, error.reason, str(error))


def extract_video(video: Video, path: Path, estimator: Estimator) -> VideoRecord:
    """Decode a video, estimate its poses and judge it.

    Raises:
        FileNotFoundError: the file is not there.
        ContentError: not one frame can be decoded.
    """
    with open_video(
        path, start_seconds=video.start_seconds, end_seconds=video.end_seconds
    ) as reader:
        pts_seconds: list[float] = []
        persons = list(estimator.estimate(_frames(reader, pts_seconds)))
        poses = assemble_poses(persons, pts_seconds, reader, estimator.spec.skeleton)
        status = reader.status()
        declared = reader.frames_declared
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


def assemble_poses(
    persons: Sequence[Persons], pts_seconds: Sequence[float], reader: VideoReader, skeleton: str
) -> PoseSequence:
    """The people of F frames as one ragged sequence, rows in frame and slot order."""
    num_keypoints = get_skeleton(skeleton).num_keypoints
    ordered = [np.argsort(people.slot, kind="stable") for people in persons]
    empty = Persons(
        np.empty((0, num_keypoints, 2), np.float32),
        np.empty((0, num_keypoints), np.float32),
        np.empty(0, np.int64),
    )
    frames = [*persons, empty]  # so that a video without people concatenates, too
    ordered.append(np.empty(0, np.int64))
    return PoseSequence(
        skeleton=skeleton,
        xy_px=np.concatenate([p.xy_px[o] for p, o in zip(frames, ordered, strict=True)]),
        score=np.concatenate([p.score[o] for p, o in zip(frames, ordered, strict=True)]),
        frame=np.repeat(np.arange(len(frames)), [len(p.slot) for p in frames]),
        slot=np.concatenate([p.slot[o] for p, o in zip(frames, ordered, strict=True)]),
        pts_seconds=np.asarray(pts_seconds, np.float64),
        width=reader.width,
        height=reader.height,
        frames_declared=reader.frames_declared,
    )


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
