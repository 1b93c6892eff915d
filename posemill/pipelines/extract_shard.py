"""The poses of one shard of videos: have a supervised child make them, then commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic

from posemill.pipelines.events import ItemDone, ItemsRetried, ItemStarted, ShardDraining
from posemill.pipelines.plan import video_cost_seconds
from posemill.pipelines.pose_settings import PoseSettings
from posemill.pipelines.pose_shard import commit_shard, task_videos, without_poses
from posemill.pipelines.supervise import (
    AllTaken,
    Begun,
    Condemned,
    Finished,
    Item,
    JobSpec,
    Limits,
    Setback,
    SharedSupervisor,
    Supervisor,
)
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask
from posemill.schema import Video, VideoStatus
from posemill.storage.catalog_boxes import read_boxes
from posemill.storage.dense.scratch import Scratch
from posemill.storage.files.location import Location
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore, VideoRecord
from posemill.transforms.person_boxes import PersonBoxes


class ExtractWorker:
    """Extracts shards; satisfies `tasks.ShardWorker`.

    Poses are estimated in a child process, and videos decoded in
    processes of that; they may crash, hang or be killed. This process only commits,
    while the child may go on with another shard.
    """

    def __init__(
        self,
        source_root: str,
        moved: Mapping[str, str],
        out: Place,
        settings: PoseSettings,
        limits: Limits,
        boxes: Path | None,
    ) -> None:
        """`boxes` is the catalog that tells where people are; None leaves that to the estimator."""
        self._moved, self._boxes = moved, boxes
        self._store = PoseStore.open(out)
        self._scratch = Scratch.create() if settings.options.keep else None
        scratch = None if self._scratch is None else self._scratch.path
        job = JobSpec(
            "posemill.pipelines.extract_child:VideoJob",
            {"source_root": source_root, "settings": settings, "scratch": scratch},
        )
        supervisor = Supervisor(job, limits, check=self._store.require_configuration)
        self._supervisor = SharedSupervisor(supervisor)
        self._reading_plan = Lock()

    def ready(self) -> None:
        """The source is there, a grey frame goes through the estimator, the store takes bytes."""
        self._store.prove_writable()
        self._supervisor.ready()

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        if self._store.is_committed(task.shard_id, task.generation):
            return ShardResult(task.shard_id, ShardOutcome.SKIPPED)
        videos = self._videos(task)
        try:
            return self._make(task, videos, emit)
        finally:
            if self._scratch is not None:
                self._scratch.discard(video.id for video in videos)

    def _make(self, task: ShardTask, videos: Sequence[Video], emit: Emit) -> ShardResult:
        """Have the poses made, and commit them."""
        found, began = self._extract(task.shard_id, videos, emit)
        records = [found[video.id] for video in videos]
        return commit_shard(self._store, task, records, began)

    def close(self) -> None:
        self._supervisor.close()
        if self._scratch is not None:
            self._scratch.close()

    def _videos(self, task: ShardTask) -> tuple[Video, ...]:
        with self._reading_plan:
            return task_videos(self._store, task)

    def _extract(
        self, shard_id: int, videos: Sequence[Video], emit: Emit
    ) -> tuple[dict[str, VideoRecord], float]:
        """A record of every video, whatever it contains; and when the first was begun.

        Raises:
            EnvironmentFault: the source is gone, or the estimator works no more.
        """
        planned = {video.id: video for video in videos}
        records, began = dict[str, VideoRecord](), inf
        for report in self._supervisor.work(self._items(videos)):
            match report:
                case Begun(item_id=video_id):
                    began = min(began, monotonic())
                    emit(ItemStarted(shard_id, video_id))
                    continue
                case AllTaken():
                    emit(ShardDraining(shard_id))
                    continue
                case Setback(item_ids=suspects, message=message):
                    emit(ItemsRetried(shard_id, suspects, message))
                    continue
                case Finished(item_id=video_id, result=result):
                    record = result
                case Condemned(item_id=video_id, reason=reason, message=message):
                    video = planned[video_id]
                    text = f"{self._location(video)}: {message}"
                    record = without_poses(video, VideoStatus.QUARANTINED, reason, text)
            records[video_id] = record
            frames, message = record.frames_decoded, record.message
            emit(ItemDone(shard_id, video_id, record.status, frames, message))
        return records, began

    def _items(self, videos: Sequence[Video]) -> list[Item]:
        """Each with what `VideoJob` needs: the video, where it is, and where its people are."""
        people = self._people([video.id for video in videos])
        return [
            Item(
                video.id,
                (video, self._location(video), people.get(video.id)),
                video_cost_seconds(video),
            )
            for video in videos
        ]

    def _people(self, video_ids: Sequence[str]) -> dict[str, PersonBoxes]:
        """Of every video, where boxes are given at all; nobody may be in some."""
        if self._boxes is None:
            return {}
        clips = read_boxes(self._boxes, video_ids)
        return {each: PersonBoxes.of_clips(clips.get(each, ())) for each in video_ids}

    def _location(self, video: Video) -> Location:
        return Location.parse(self._moved.get(video.id, video.uri))
