"""The poses of one shard of an import: read each source's files, then commit."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from posemill.errors import EnvironmentFault, UnreadablePoses
from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.import_sequence import PTS_SOURCE, to_sequence
from posemill.pipelines.import_settings import ImportSettings
from posemill.pipelines.pose_shard import commit_shard, task_videos, without_poses
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask
from posemill.schema import Video, VideoStatus
from posemill.storage.durable import disk_faults
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore, VideoRecord


class ImportWorker:
    """Imports shards in one process; satisfies `tasks.ShardWorker`."""

    def __init__(
        self,
        root: Path,
        moved: dict[str, str],
        out: Place,
        settings: ImportSettings,
        max_bytes: int,
    ) -> None:
        """`moved` tells where sources are that were planned elsewhere; longer ones than
        `max_bytes` are refused."""
        self._root, self._moved = root, moved
        self._store = PoseStore.open(out)
        self._settings, self._max_bytes = settings, max_bytes

    def ready(self) -> None:
        """The sources' folder is there, the store takes bytes."""
        self._require_root()
        self._store.prove_writable()

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        if self._store.is_committed(task.shard_id, task.generation):
            return ShardResult(task.shard_id, ShardOutcome.SKIPPED)
        videos, began = task_videos(self._store, task), monotonic()
        records = [self._record(task.shard_id, video, emit) for video in videos]
        return commit_shard(self._store, task, records, began)

    def close(self) -> None:
        """It holds nothing that outlives it."""

    def _record(self, shard_id: int, video: Video, emit: Emit) -> VideoRecord:
        emit(ItemStarted(shard_id, video.id))
        record = self._read(video)
        frames, message = record.frames_decoded, record.message
        emit(ItemDone(shard_id, video.id, record.status, frames, message))
        return record

    def _read(self, video: Video) -> VideoRecord:
        """A record of a source, whatever it contains.

        Raises:
            EnvironmentFault: its files cannot be read, or all sources are gone.
        """
        uri = self._moved.get(video.id, video.uri)
        with disk_faults(uri):
            try:
                return self._poses(video, uri)
            except FileNotFoundError as error:
                self._require_root()
                return without_poses(video, VideoStatus.MISSING, "missing", f"{uri}: {error}")
            except UnreadablePoses as error:
                return _quarantined(video, error.reason, uri, str(error))
            except (OSError, EnvironmentFault, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - what a file holds never stops a job
                message = f"{type(error).__name__}: {error}"
                return _quarantined(video, UnreadablePoses.reason, uri, message)

    def _poses(self, video: Video, uri: str) -> VideoRecord:
        seen = self._settings.format.look(uri, video.identity)
        if seen.num_bytes > self._max_bytes:
            raise UnreadablePoses(
                f"{uri}: has {seen.num_bytes:,} bytes, more than {self._max_bytes:,}; raise "
                "--max-gib where that is no mistake"
            )
        poses = to_sequence(self._settings.format.read(uri), self._settings)
        return VideoRecord(
            video_id=video.id,
            status=VideoStatus.OK if poses.num_rows else VideoStatus.EMPTY,
            reason="",
            message="",
            identity=seen.identity,  # of what is read now, which may be newer
            poses=poses,
            frames_decoded=poses.num_frames,
            frames_declared=poses.num_frames,
            pts_source=PTS_SOURCE,
        )

    def _require_root(self) -> None:
        """Raises:
        EnvironmentFault: what holds the sources is not on this machine.
        """
        if not self._root.exists():
            raise EnvironmentFault(
                f"{self._root}: the sources are not there; expected the same folder on every "
                "machine that has workers. Mount it, then run the same command again"
            )


def _quarantined(video: Video, reason: str, uri: str, message: str) -> VideoRecord:
    is_named = message.startswith(f"{Path(uri).parent}/")
    text = message if is_named else f"{uri}: {message}"
    return without_poses(video, VideoStatus.QUARANTINED, reason, text)
