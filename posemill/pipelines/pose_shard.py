"""What every worker does that fills a pose store: read what a shard holds, commit its records."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from posemill.pipelines.tasks import ShardOutcome, ShardResult, ShardTask
from posemill.provenance import Attempt
from posemill.schema import Video, VideoStatus
from posemill.storage.poses import PoseStore, VideoRecord


def task_videos(store: PoseStore, task: ShardTask) -> tuple[Video, ...]:
    """The videos that a task is about, in plan order.

    Raises:
        InputError: no plan has the shard.
        EnvironmentFault: the plans cannot be read.
    """
    videos = store.shard_videos(task.shard_id)
    wanted = None if task.items is None else set(task.items)
    return tuple(video for video in videos if wanted is None or video.id in wanted)


def commit_shard(
    store: PoseStore, task: ShardTask, records: Sequence[VideoRecord], began: float
) -> ShardResult:
    """Commit the records of a task's videos, in plan order; `began` is of the monotonic clock.

    Raises:
        EnvironmentFault: the disk refuses; nothing was committed.
    """
    attempt = Attempt.ended_now(monotonic() - began, task.cost)
    won = store.write_shard(task.shard_id, records, generation=task.generation, attempt=attempt)
    return ShardResult(
        shard_id=task.shard_id,
        outcome=ShardOutcome.COMMITTED if won else ShardOutcome.LOST_RACE,
        num_items=len(records),
        num_quarantined=sum(record.status is VideoStatus.QUARANTINED for record in records),
        num_frames=sum(record.frames_decoded for record in records),
        seconds=monotonic() - began,
    )


def without_poses(video: Video, status: VideoStatus, reason: str, message: str) -> VideoRecord:
    """The record of a video of which there are no frames, and why."""
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
