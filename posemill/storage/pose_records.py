"""What is written of a video, what a commit says of it, and commit records as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from posemill.provenance import Attempt
from posemill.schema import PoseSequence, VideoStatus
from posemill.storage.commits import FileRecord, RecordName, files_from_json, files_to_json
from posemill.storage.dense.spool import SpooledMaps
from posemill.transforms.sample import DenseKind


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """A video's outcome, to be written.

    Raises:
        ValueError: poses where the status has none or the reverse, people in an empty
            video, or a count of frames that is not the poses' or the dense maps'.
    """

    video_id: str
    status: VideoStatus
    reason: str
    """A word from a short list where the status is not OK, e.g. `unreadable`; else empty."""
    message: str
    identity: str
    poses: PoseSequence | None
    frames_decoded: int
    frames_declared: int
    pts_source: str = ""
    """Where the frames' times are from: `container` or `frame rate`; empty without frames."""
    dense: Mapping[DenseKind, SpooledMaps] = field(default_factory=dict)
    """The estimator's own maps of every frame, as they were spooled."""

    def __post_init__(self) -> None:
        if self.status.has_frames != (self.poses is not None):
            raise ValueError(
                f"video {self.video_id}: status {self.status} "
                f"{'needs' if self.status.has_frames else 'must not have'} poses"
            )
        self._check_frames()

    def _check_frames(self) -> None:
        counts = {maps.num_frames for maps in self.dense.values()}
        if counts - {self.frames_decoded}:
            raise ValueError(
                f"video {self.video_id}: the dense maps are of {sorted(counts)} frames, "
                f"frames_decoded is {self.frames_decoded}"
            )
        if self.poses is None:
            return
        if self.poses.num_frames != self.frames_decoded:
            raise ValueError(
                f"video {self.video_id}: the poses are of {self.poses.num_frames} frames, "
                f"frames_decoded is {self.frames_decoded}"
            )
        if self.status is VideoStatus.EMPTY and self.poses.num_rows:
            raise ValueError(f"video {self.video_id}: empty, with {self.poses.num_rows} people")


@dataclass(frozen=True, slots=True)
class VideoEntry:
    """What a commit says of a video, and where its rows lie."""

    video_id: str
    status: VideoStatus
    reason: str
    message: str
    identity: str
    frames_decoded: int
    frames_declared: int
    shard_id: int
    group: str
    """Name of the group that holds the video."""
    position: int
    """Place of the video in that group's per-video arrays."""
    rows: tuple[int, int]
    """The video's person-frames in that group, `[start, stop)`."""
    pts_source: str = ""
    """As in `VideoRecord`."""


@dataclass(frozen=True, slots=True)
class ShardCommit:
    """One generation of a shard: the state of its videos, in plan order."""

    shard_id: int
    generation: int
    configuration_hash: str
    entries: tuple[VideoEntry, ...]
    files: Mapping[str, Mapping[str, FileRecord]]
    """Name of a group to its files, by their paths in it."""
    marker_sha256: str = ""
    attempt: Attempt | None = field(default=None, compare=False)
    """Which made the newest of its groups; None where none is told of."""

    @property
    def record(self) -> RecordName:
        """The name of its record."""
        return RecordName(self.shard_id, self.generation)

    @property
    def has_void(self) -> bool:
        """Whether some of its videos are to be made again."""
        return any(entry.status is VideoStatus.VOID for entry in self.entries)


_ENTRY_FIELDS = (
    *("video_id", "reason", "message", "identity"),
    *("frames_decoded", "frames_declared", "pts_source", "group", "position"),
)


def commit_to_json(commit: ShardCommit) -> dict[str, Any]:
    """The content of a commit record, without its seal."""
    return {
        "shard_id": commit.shard_id,
        "generation": commit.generation,
        "configuration_hash": commit.configuration_hash,
        "videos": [_entry_to_json(entry) for entry in commit.entries],
        "groups": {name: files_to_json(files) for name, files in commit.files.items()},
        "attempt": None if commit.attempt is None else commit.attempt.as_dict(),
    }


def commit_from_json(body: Mapping[str, Any], marker_sha256: str) -> ShardCommit:
    """The inverse of `commit_to_json`."""
    shard_id, attempt = int(body["shard_id"]), body.get("attempt")
    return ShardCommit(
        shard_id=shard_id,
        generation=int(body["generation"]),
        configuration_hash=body["configuration_hash"],
        entries=tuple(_entry_from_json(stored, shard_id) for stored in body["videos"]),
        files={name: files_from_json(files) for name, files in body["groups"].items()},
        marker_sha256=marker_sha256,
        attempt=None if attempt is None else Attempt.from_json(attempt),
    )


def _entry_to_json(entry: VideoEntry) -> dict[str, Any]:
    plain = {name: getattr(entry, name) for name in _ENTRY_FIELDS}
    return {**plain, "status": str(entry.status), "rows": list(entry.rows)}


def _entry_from_json(stored: Mapping[str, Any], shard_id: int) -> VideoEntry:
    start, stop = stored["rows"]
    return VideoEntry(
        **{name: stored[name] for name in _ENTRY_FIELDS},
        status=VideoStatus(stored["status"]),
        shard_id=shard_id,
        rows=(int(start), int(stop)),
    )
