"""What a feature store knows of a pose shard's features, and how that stands in a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from posemill.provenance import Attempt
from posemill.storage.commits import FileRecord, RecordName, files_from_json, files_to_json
from posemill.storage.feature_arrays import VALID


@dataclass(frozen=True, slots=True)
class Unmade:
    """Why a clip has no features though it has poses: its video's frames could not be had."""

    message: str
    identity: str = ""
    """Of the video's file then, as `Video.identity`, `ABSENT` where there was none: while that
    stays so, another attempt ends as this one did. Empty where it may end otherwise."""


@dataclass(frozen=True, slots=True)
class FeatureCommit:
    """What was written for a pose shard."""

    pose_shard: int
    generation: int
    configuration_hash: str
    pose_marker_sha256: str
    """Of the pose shard's commit record that the features were made from."""
    rows: tuple[int, int]
    files: Mapping[str, FileRecord]
    void: bool = False
    """The data was found damaged: to be written again."""
    unmade: Mapping[str, Unmade] = field(default_factory=dict)
    """By the clip's id: rows that are not valid, and would be with other files."""
    attempt: Attempt | None = field(default=None, compare=False)
    """Which wrote it, its cost in clips; None where it was found damaged."""

    @property
    def record(self) -> RecordName:
        """The name of its record."""
        return RecordName(self.pose_shard, self.generation)

    def valid_objects(self) -> list[str]:
        """The objects that say which of its rows hold features, in the order of rows."""
        names = [name for name in self.files if name.startswith(f"{VALID}/")]
        return sorted(names, key=lambda name: int(name.rpartition("/")[2]))

    def is_of(self, pose_marker_sha256: str) -> bool:
        """Whether features were written, from this state of the poses."""
        return not self.void and self.pose_marker_sha256 == pose_marker_sha256


def commit_to_json(commit: FeatureCommit) -> dict[str, Any]:
    """The content of a commit record, without its seal."""
    return {
        "pose_shard": commit.pose_shard,
        "generation": commit.generation,
        "configuration_hash": commit.configuration_hash,
        "pose_marker_sha256": commit.pose_marker_sha256,
        "rows": list(commit.rows),
        "void": commit.void,
        "files": files_to_json(commit.files),
        "unmade": {clip: [each.message, each.identity] for clip, each in commit.unmade.items()},
        "attempt": None if commit.attempt is None else commit.attempt.as_dict(),
    }


def commit_from_json(body: Mapping[str, Any]) -> FeatureCommit:
    """The inverse of `commit_to_json`."""
    start, stop = body["rows"]
    attempt = body.get("attempt")
    return FeatureCommit(
        pose_shard=int(body["pose_shard"]),
        generation=int(body["generation"]),
        configuration_hash=body["configuration_hash"],
        pose_marker_sha256=body["pose_marker_sha256"],
        rows=(int(start), int(stop)),
        files=files_from_json(body["files"]),
        void=bool(body["void"]),
        unmade={clip: Unmade(*told) for clip, told in body.get("unmade", {}).items()},
        attempt=None if attempt is None else Attempt.from_json(attempt),
    )
